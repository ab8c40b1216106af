import { defineCommand } from "citty";
import * as v from "valibot";
import { addressabilityOf } from "../../lib/build/carriage.ts";
import { combineParts } from "../../lib/build/from-parts.ts";
import { sayMarkers, sayUntransferable } from "../../lib/build/left-out.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { requireApart } from "../../lib/rclone/overlap.ts";
import { checkRoot } from "../../lib/rclone/root.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { checkNewFile } from "../flags/checks.ts";
import { newRunId } from "../flags/listing.ts";
import * as flags from "../flags/values.ts";
import { listingText, printBuilt } from "../view/built.ts";
import { LiveLine } from "../view/live-line.ts";

const schema = v.object({
  source: flags.requiredText,
  dest: flags.requiredText,
  "parts-dir": flags.requiredText,
  out: flags.requiredText,
  "run-id": flags.runIdText,
  json: v.optional(v.boolean(), false),
});

export default defineCommand({
  meta: { name: "xfer manifest combine", description: "Makes one manifest of listings of several prefixes" },
  args: {
    ...flags.rootArgs,
    "parts-dir": {
      type: "string",
      required: true,
      valueHint: "DIR",
      description: "holds lsjson-*.json, and a .prefix file beside each with the prefix that was listed",
    },
    out: { type: "string", required: true, valueHint: "FILE", description: "the manifest to write" },
    "run-id": flags.runIdArg,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    checkNewFile("--out", input.out);
    const live = new LiveLine();
    const runId = input["run-id"] ?? newRunId();
    const sourceRoot = checkRoot("--source", input.source);
    const destRoot = checkRoot("--dest", input.dest);
    requireApart(
      { source: { name: "--source", root: sourceRoot }, dest: { name: "--dest", root: destRoot } },
      remoteContext(undefined, "host"),
    );
    const totals = await combineParts({
      sourceRoot,
      destRoot,
      addressability: addressabilityOf({ sourceRoot, destRoot, configPath: undefined }),
      runId,
      partsDir: input["parts-dir"],
      out: input.out,
      stop: watchForStop(stopSignals).signal,
      onProgress: (sofar) => live.update(listingText(sofar)),
    });
    live.clear();
    sayMarkers(totals.markers);
    sayUntransferable(totals.untransferable, { out: input.out, sourceRoot });
    await printBuilt(input, runId, totals);
  },
});
