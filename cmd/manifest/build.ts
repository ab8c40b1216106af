import { buildManifest } from "../../lib/build/from-listing.ts";
import { sayLeftOut } from "../../lib/build/left-out.ts";
import { requireImageHere } from "../../lib/launch/image-check.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { requireApart } from "../../lib/rclone/overlap.ts";
import { checkImage } from "../../lib/rclone/reach.ts";
import { checkRoot, looksLikePath } from "../../lib/rclone/root-check.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { command } from "../cli/command.ts";
import { checkNewFile, checkRcloneConfig, requireListingPassword } from "../flags/checks.ts";
import { clusterFlag, posixListFlag } from "../flags/cluster.ts";
import { buildOptionsOf, listFlags, listRootFlag, listRootOf } from "../flags/listing.ts";
import { outFlag, requiredRootFlags } from "../flags/manifest.ts";
import { jsonFlag } from "../flags/output.ts";
import { imageOf, rcloneFlags } from "../flags/rclone.ts";
import { listingText, printBuilt } from "../view/built.ts";
import { LiveLine } from "../view/live-line.ts";

export default command({
  name: "xfer manifest build",
  description: "Lists the source once into an immutable manifest",
  details: [
    "What cannot be carried as it is, is named in a second file beside the manifest, NAME.untransferable.jsonl. Empty " +
      "directories, symbolic links and directory markers without content are not listed.",
  ],
  examples: [
    {
      says: "List a folder of this machine",
      line: "xfer manifest build --runtime host --source set --dest copy --out manifest.jsonl",
    },
    {
      says: "List a bucket in a container, through srun",
      line: "xfer manifest build --source src:bucket/set --dest dst:bucket/set --out run/manifest.jsonl --rclone-image /shared/rclone.sqsh",
    },
  ],
  flags: {
    ...requiredRootFlags,
    out: outFlag,
    ...rcloneFlags,
    ...listFlags,
    "list-root": listRootFlag,
    "posix-list": posixListFlag,
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run(input) {
    checkNewFile("--out", input.out);
    const runtime = input.runtime ?? "pyxis";
    checkImage(runtime, input["rclone-image"]);
    checkRcloneConfig(input["rclone-config"], runtime === "host");
    if (input["image-check"]) requireImageHere(runtime, imageOf(input, runtime));
    requireListingPassword(input, runtime);
    const context = remoteContext(input["rclone-config"], runtime);
    const sourceRoot = checkRoot("--source", input.source, context);
    // The destination may be a remote of where it will be copied, unless it looks more like a path.
    const destRoot = checkRoot("--dest", input.dest, looksLikePath(input.dest) ? context : undefined);
    requireApart(
      { source: { name: "--source", root: sourceRoot }, dest: { name: "--dest", root: destRoot } },
      context,
    );
    const live = new LiveLine();
    const watch = watchForStop(stopSignals);
    const options = buildOptionsOf(input, {
      runtime,
      stop: watch.signal,
      onProgress: (totals) => live.update(listingText(totals)),
    });
    const { out } = input;
    const listRoot = listRootOf(input["list-root"], sourceRoot, context);
    const result = await buildManifest({ ...options, sourceRoot, listRoot, destRoot, out });
    live.clear();
    sayLeftOut(result, { out, sourceRoot });
    await printBuilt(input, options.runId, result);
  },
});
