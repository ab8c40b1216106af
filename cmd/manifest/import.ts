import { defineCommand } from "citty";
import * as v from "valibot";
import { addressabilityOf } from "../../lib/build/carriage.ts";
import { importKeys } from "../../lib/build/from-keys.ts";
import { type ImportOptions, importRows } from "../../lib/build/from-rows.ts";
import { sayLeftOut, sayMarkers, sayUntransferable } from "../../lib/build/left-out.ts";
import {
  inventoryDuplicateAdvice,
  inventoryReader,
  lsfReader,
  rowFormats,
} from "../../lib/build/row-formats.ts";
import { requireImageHere } from "../../lib/launch/image-check.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { requireApart } from "../../lib/rclone/overlap.ts";
import { checkImage } from "../../lib/rclone/reach.ts";
import { checkRoot, looksLikePath } from "../../lib/rclone/root.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { log } from "../../lib/system/log.ts";
import { checkNewFile, checkRcloneConfig, requireListingPassword } from "../flags/checks.ts";
import { buildOptionsOf } from "../flags/listing.ts";
import * as flags from "../flags/values.ts";
import { leftOutText, listingText, printBuilt } from "../view/built.ts";
import { LiveLine } from "../view/live-line.ts";

const formats = [...rowFormats, "keys"] as const;

const schema = v.object({
  in: flags.requiredText,
  format: flags.oneOf(formats),
  columns: flags.optionalText,
  source: flags.requiredText,
  dest: flags.requiredText,
  out: flags.requiredText,
  json: v.optional(v.boolean(), false),
  ...flags.rcloneSchema,
  ...flags.listSchema,
});

type Input = v.InferOutput<typeof schema>;

export default defineCommand({
  meta: {
    name: "xfer manifest import",
    description: "Makes a manifest of an inventory or of a list of keys",
  },
  args: {
    in: { type: "string", required: true, valueHint: "FILE", description: "what to read; - for stdin" },
    format: {
      type: "string",
      required: true,
      valueHint: formats.join("|"),
      description:
        "S3 Inventory CSV (gzip too), rclone lsf --csv, or a key a line (sizes: the source is listed)",
    },
    columns: {
      type: "string",
      valueHint: "COLUMNS",
      description: "the order of the columns: Bucket,Key,Size,... for s3-inventory, pst for lsf",
    },
    ...flags.rootArgs,
    out: { type: "string", required: true, valueHint: "FILE", description: "the manifest to write" },
    ...flags.rcloneArgs,
    ...flags.listArgs,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    checkNewFile("--out", input.out);
    checkRcloneConfig(input["rclone-config"], input.format === "keys" && input.runtime === "host");
    const live = new LiveLine();
    const runtime = input.runtime ?? "pyxis";
    const listsSource = input.format === "keys";
    const context = remoteContext(input["rclone-config"], runtime);
    const options = {
      ...buildOptionsOf(input, {
        runtime,
        stop: watchForStop(stopSignals).signal,
        onProgress: (totals) => live.update(listingText(totals)),
      }),
      input: input.in,
      out: input.out,
      sourceRoot: checkRoot("--source", input.source, listsSource ? context : undefined),
      destRoot: checkRoot("--dest", input.dest, looksLikePath(input.dest) ? context : undefined),
    };
    requireApart(
      {
        source: { name: "--source", root: options.sourceRoot },
        dest: { name: "--dest", root: options.destRoot },
      },
      context,
    );
    if (listsSource) {
      if (input.columns !== undefined) throw invalidInput("--columns: a list of keys has no columns");
      checkImage(options.runtime, options.image);
      if (input["image-check"]) requireImageHere(options.runtime, options.image);
      requireListingPassword(input, runtime);
      const listed = await importKeys(options);
      live.clear();
      sayLeftOut(listed, options);
      return printBuilt(input, options.runId, listed);
    }
    const imported = await importRows({
      ...options,
      ...rowReader(input, options.sourceRoot),
      addressability: addressabilityOf(options),
    });
    live.clear();
    for (const [why, rows] of imported.leftOut) log.info(leftOutText(why, rows));
    sayMarkers(imported.markers);
    sayUntransferable(imported.untransferable, options);
    await printBuilt(input, options.runId, imported);
  },
});

function rowReader(
  { format, columns }: Input,
  sourceRoot: string,
): Pick<ImportOptions, "readRow" | "onDuplicate"> {
  if (format === "lsf") {
    return { readRow: lsfReader(columns ?? "pst"), onDuplicate: "remove one of the two rows" };
  }
  if (columns === undefined) {
    throw invalidInput("--columns is needed: the fileSchema in the manifest.json of the inventory");
  }
  return {
    readRow: inventoryReader(columns, sourceRoot),
    onDuplicate: inventoryDuplicateAdvice(columns),
  };
}
