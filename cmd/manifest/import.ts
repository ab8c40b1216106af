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
import { checkRoot, looksLikePath } from "../../lib/rclone/root-check.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { log } from "../../lib/system/log.ts";
import { command } from "../cli/command.ts";
import { checkNewFile, checkRcloneConfig, requireListingPassword } from "../flags/checks.ts";
import { clusterFlag } from "../flags/cluster.ts";
import type { OptionsOf } from "../flags/flag.ts";
import { buildOptionsOf, listFlags } from "../flags/listing.ts";
import { flag } from "../flags/make.ts";
import { outFlag, requiredRootFlags } from "../flags/manifest.ts";
import { jsonFlag } from "../flags/output.ts";
import { rcloneFlags } from "../flags/rclone.ts";
import { leftOutText, listingText, printBuilt } from "../view/built.ts";
import { LiveLine } from "../view/live-line.ts";

const formats = [...rowFormats, "keys"] as const;

const flags = {
  in: flag.file({
    required: true,
    group: "what",
    common: true,
    description: "what to read; - for standard input",
  }),
  format: flag.oneOf(formats, {
    required: true,
    group: "what",
    common: true,
    description: "S3 Inventory CSV (gzip too), rclone lsf --csv, or a key a line (sizes: by a listing)",
  }),
  columns: flag.text({
    valueHint: "COLUMNS",
    group: "what",
    common: true,
    defaultText: "pst with lsf",
    description: "the order of the columns: Bucket,Key,Size,... for s3-inventory, pst for lsf",
  }),
  ...requiredRootFlags,
  out: outFlag,
  ...rcloneFlags,
  ...listFlags,
  cluster: clusterFlag,
  json: jsonFlag,
};

type Input = OptionsOf<typeof flags>;

export default command({
  name: "xfer manifest import",
  description: "Makes a manifest of an inventory or of a list of keys",
  details: [
    "The columns of an inventory are the fileSchema in its manifest.json; one that lists versions needs IsLatest and " +
      "IsDeleteMarker among them: old versions and delete markers are then left out. A list of keys tells no sizes: the " +
      "source is listed once, LIST requests only, and a key that is not there is an error.",
  ],
  examples: [
    {
      says: "Of an S3 Inventory",
      line: "xfer manifest import --format s3-inventory --columns Bucket,Key,Size,LastModifiedDate,ETag --in inventory.csv.gz --source src:bucket --dest dst:bucket --out manifest.jsonl",
    },
    {
      says: "Of a list of keys",
      line: "xfer manifest import --format keys --in keys.txt --runtime host --source set --dest copy --out manifest.jsonl",
    },
  ],
  flags,
  async run(input) {
    const columns = columnsOf(input);
    checkNewFile("--out", input.out);
    checkRcloneConfig(input["rclone-config"], columns === undefined && input.runtime === "host");
    const live = new LiveLine();
    const runtime = input.runtime ?? "pyxis";
    const listsSource = columns === undefined;
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
      ...rowReader(columns, options.sourceRoot),
      addressability: addressabilityOf(options),
    });
    live.clear();
    for (const [why, rows] of imported.leftOut) log.info(leftOutText(why, rows));
    sayMarkers(imported.markers);
    sayUntransferable(imported.untransferable, options);
    await printBuilt(input, options.runId, imported);
  },
});

/** The columns of an inventory or of a table. */
interface Columns {
  format: (typeof rowFormats)[number];
  order: string;
}

/** The columns of what is read; undefined for a list of keys. Throws invalid input when they cannot be told. */
export function columnsOf({ format, columns }: Pick<Input, "format" | "columns">): Columns | undefined {
  switch (format) {
    case "keys":
      if (columns !== undefined) throw invalidInput("--columns: a list of keys has no columns");
      return undefined;
    case "lsf":
      return { format, order: columns ?? "pst" };
    case "s3-inventory":
      if (columns !== undefined) return { format, order: columns };
      throw invalidInput("--columns is needed: the fileSchema in the manifest.json of the inventory");
  }
}

function rowReader(
  { format, order }: Columns,
  sourceRoot: string,
): Pick<ImportOptions, "readRow" | "onDuplicate"> {
  return format === "lsf"
    ? { readRow: lsfReader(order), onDuplicate: "remove one of the two rows" }
    : { readRow: inventoryReader(order, sourceRoot), onDuplicate: inventoryDuplicateAdvice(order) };
}
