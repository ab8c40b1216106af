import { defineCommand } from "citty";
import * as v from "valibot";
import { makeDelta, notComparableText } from "../../lib/compare/delta.ts";
import { compareModes } from "../../lib/compare/delta-rule.ts";
import { requireImageHere } from "../../lib/launch/image-check.ts";
import { checkImage } from "../../lib/rclone/reach.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { log } from "../../lib/system/log.ts";
import { checkNewFile, checkRcloneConfig, requireListingPassword } from "../flags/checks.ts";
import { listerOf, lsjsonFlagsOf } from "../flags/listing.ts";
import * as flags from "../flags/values.ts";
import { deltaJson, deltaLine } from "../view/delta.ts";
import { doingText } from "../view/doing.ts";
import { LiveLine } from "../view/live-line.ts";
import { printJson, printText } from "../view/print.ts";

const schema = v.object({
  in: flags.requiredText,
  out: flags.requiredText,
  "extra-out": flags.optionalText,
  compare: flags.oneOf(compareModes),
  json: v.optional(v.boolean(), false),
  ...flags.rcloneSchema,
  ...flags.listerSchema,
});

export default defineCommand({
  meta: {
    name: "xfer manifest delta",
    description: "Lists the destination and writes the records that are missing or differ there",
  },
  args: {
    in: { type: "string", required: true, valueHint: "FILE", description: "the manifest" },
    out: { type: "string", required: true, valueHint: "FILE", description: "the smaller manifest to write" },
    compare: flags.compareArg,
    "extra-out": {
      type: "string",
      valueHint: "FILE",
      description: "write the keys only the destination has",
    },
    ...flags.rcloneArgs,
    ...flags.listerArgs,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    checkNewFile("--out", input.out);
    if (input["extra-out"] !== undefined) checkNewFile("--extra-out", input["extra-out"], input.out);
    const runtime = input.runtime ?? "pyxis";
    checkImage(runtime, input["rclone-image"]);
    checkRcloneConfig(input["rclone-config"], runtime === "host");
    if (input["image-check"]) requireImageHere(runtime, flags.imageOf(input, runtime));
    requireListingPassword(input, runtime);
    const live = new LiveLine();
    const { signal } = watchForStop(stopSignals);
    const delta = await makeDelta({
      ...listerOf(input, { runtime, stop: signal }),
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
