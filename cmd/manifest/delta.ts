import { makeDelta, notComparableText } from "../../lib/compare/delta.ts";
import { requireImageHere } from "../../lib/launch/image-check.ts";
import { checkImage } from "../../lib/rclone/reach.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { log } from "../../lib/system/log.ts";
import { command } from "../cli/command.ts";
import { checkNewFile, checkRcloneConfig, requireListingPassword } from "../flags/checks.ts";
import { clusterFlag } from "../flags/cluster.ts";
import { listerFlags, listingSetupOf, lsjsonFlagsOf } from "../flags/listing.ts";
import { flag } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { compareFlag } from "../flags/plan.ts";
import { imageOf, rcloneFlags } from "../flags/rclone.ts";
import { deltaJson, deltaLine } from "../view/delta.ts";
import { doingText } from "../view/doing.ts";
import { LiveLine } from "../view/live-line.ts";
import { printJson, printText } from "../view/print.ts";

export default command({
  name: "xfer manifest delta",
  description: "Lists the destination and writes the records that are missing or differ there",
  details: [
    "With --compare mtime an object also counts as changed when its time is after the destination's. On S3 both are times " +
      "of upload, not the times kept in metadata: from S3 to POSIX use another comparison. What has no hash or no time on " +
      "one side counts as changed, with a warning.",
  ],
  examples: [
    {
      says: "What a bucket lacks, by size",
      line: "xfer manifest delta --in manifest.jsonl --out delta.jsonl --rclone-image /shared/rclone.sqsh",
    },
    {
      says: "By MD5 too, and what only the destination has",
      line: "xfer manifest delta --runtime host --in manifest.jsonl --out delta.jsonl --compare checksum --extra-out extra.jsonl",
    },
  ],
  flags: {
    in: flag.file({ required: true, group: "what", common: true, description: "the manifest" }),
    out: flag.file({
      required: true,
      group: "what",
      common: true,
      description: "the smaller manifest to write",
    }),
    compare: { ...compareFlag, common: true },
    "extra-out": flag.file({
      group: "what",
      common: true,
      description: "write the keys only the destination has",
    }),
    ...rcloneFlags,
    ...listerFlags,
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run(input) {
    checkNewFile("--out", input.out);
    if (input["extra-out"] !== undefined) checkNewFile("--extra-out", input["extra-out"], input.out);
    const runtime = input.runtime ?? "pyxis";
    checkImage(runtime, input["rclone-image"]);
    checkRcloneConfig(input["rclone-config"], runtime === "host");
    if (input["image-check"]) requireImageHere(runtime, imageOf(input, runtime));
    requireListingPassword(input, runtime);
    const live = new LiveLine();
    const { signal } = watchForStop(stopSignals);
    const delta = await makeDelta({
      ...listingSetupOf(input, { runtime, stop: signal }),
      manifestPath: input.in,
      out: input.out,
      extraOut: input["extra-out"],
      compare: input.compare,
      fastList: input["fast-list"],
      extraLsjsonFlags: lsjsonFlagsOf(input),
      listParallel: input["list-parallel"],
      onProgress: (doing, objects) => live.update(doingText(doing, objects)),
    });
    live.clear();
    const warning = notComparableText(delta);
    if (warning) log.warn(warning);
    if (input.json) await printJson(deltaJson(delta));
    else await printText(deltaLine(input.out, delta));
  },
});
