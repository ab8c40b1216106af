import { defineCommand } from "citty";
import * as v from "valibot";
import { buildManifest } from "../../lib/build/from-listing.ts";
import { sayLeftOut } from "../../lib/build/left-out.ts";
import { requireImageHere } from "../../lib/launch/image-check.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { requireApart } from "../../lib/rclone/overlap.ts";
import { checkImage } from "../../lib/rclone/reach.ts";
import { checkRoot, looksLikePath } from "../../lib/rclone/root.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { checkNewFile, checkRcloneConfig, requireListingPassword } from "../flags/checks.ts";
import { buildOptionsOf } from "../flags/listing.ts";
import * as flags from "../flags/values.ts";
import { listingText, printBuilt } from "../view/built.ts";
import { LiveLine } from "../view/live-line.ts";

const schema = v.object({
  source: flags.requiredText,
  dest: flags.requiredText,
  out: flags.requiredText,
  json: v.optional(v.boolean(), false),
  ...flags.rcloneSchema,
  ...flags.listSchema,
});

export default defineCommand({
  meta: { name: "xfer manifest build", description: "Lists the source once into an immutable manifest" },
  args: {
    ...flags.rootArgs,
    out: { type: "string", required: true, valueHint: "FILE", description: "the manifest to write" },
    ...flags.rcloneArgs,
    ...flags.listArgs,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    checkNewFile("--out", input.out);
    const runtime = input.runtime ?? "pyxis";
    checkImage(runtime, input["rclone-image"]);
    checkRcloneConfig(input["rclone-config"], runtime === "host");
    if (input["image-check"]) requireImageHere(runtime, flags.imageOf(input, runtime));
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
    const result = await buildManifest({ ...options, sourceRoot, destRoot, out });
    live.clear();
    sayLeftOut(result, { out, sourceRoot });
    await printBuilt(input, options.runId, result);
  },
});
