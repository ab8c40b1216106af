import { addressabilityOf } from "../../lib/build/carriage.ts";
import { combineParts } from "../../lib/build/from-parts.ts";
import { sayMarkers, sayUntransferable } from "../../lib/build/left-out.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { requireApart } from "../../lib/rclone/overlap.ts";
import { checkRoot } from "../../lib/rclone/root-check.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { command } from "../cli/command.ts";
import { checkNewFile } from "../flags/checks.ts";
import { clusterFlag } from "../flags/cluster.ts";
import { newRunId } from "../flags/listing.ts";
import { flag } from "../flags/make.ts";
import { outFlag, requiredRootFlags, runIdFlag } from "../flags/manifest.ts";
import { jsonFlag } from "../flags/output.ts";
import { listingText, printBuilt } from "../view/built.ts";
import { LiveLine } from "../view/live-line.ts";

export default command({
  name: "xfer manifest combine",
  description: "Makes one manifest of listings of several prefixes",
  details: [
    "For listings that were made elsewhere, by any tool that runs rclone lsjson. A key that two of them name is refused.",
  ],
  examples: [
    {
      says: "Combine the listings in a folder",
      line: "xfer manifest combine --parts-dir parts --source src:bucket/set --dest dst:bucket/set --out manifest.jsonl",
    },
  ],
  flags: {
    ...requiredRootFlags,
    "parts-dir": flag.folder({
      required: true,
      group: "what",
      common: true,
      description: "holds lsjson-*.json, and a .prefix file beside each with the prefix that was listed",
    }),
    out: outFlag,
    "run-id": runIdFlag,
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run(input) {
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
