import { defineCommand } from "citty";
import * as v from "valibot";
import { checksumModes } from "../lib/manifest/verdict.ts";
import { verifyRun } from "../lib/run/verify.ts";
import { exitCodes } from "../lib/system/errors.ts";
import { watchForStop } from "../lib/system/interrupt.ts";
import { LiveLine } from "../lib/system/live-line.ts";
import { formatObjects } from "../lib/system/units.ts";
import { version } from "../package.json" with { type: "json" };
import { verificationText } from "./account-text.ts";
import * as flags from "./flags.ts";
import { printJson, printText } from "./print.ts";

const schema = v.object({
  "run-dir": flags.requiredText,
  checksum: flags.oneOf(checksumModes),
  "download-sample": flags.whole(0),
  "list-parallel": flags.whole(1),
  json: v.optional(v.boolean(), false),
});

export default defineCommand({
  meta: {
    name: "xfer verify",
    description: "Compares the destination with a run's manifest, from listings alone",
  },
  args: {
    "run-dir": { type: "string", required: true, valueHint: "DIR", description: "the run directory" },
    checksum: {
      type: "string",
      default: "auto",
      valueHint: checksumModes.join("|"),
      description:
        "compare MD5 where both sides have it (on S3), fail objects that have none, or compare sizes only",
    },
    "download-sample": {
      type: "string",
      default: "0",
      valueHint: "N",
      description: "read N objects at the destination, chosen at random, and compare their content",
    },
    "list-parallel": {
      type: "string",
      default: "1",
      valueHint: "N",
      description: "list the destination with N listings side by side",
    },
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    const live = new LiveLine();
    const { signal } = watchForStop(["SIGINT", "SIGTERM"]);
    const result = await verifyRun({
      runDir: input["run-dir"],
      checksum: input.checksum,
      downloadSample: input["download-sample"],
      listParallel: input["list-parallel"],
      version,
      now: new Date(),
      stop: signal,
      onProgress: (doing, objects) => live.update(`${doing}: ${formatObjects(objects)}`),
    });
    live.clear();
    if (input.json) await printJson(result);
    else await printText(verificationText(result, input["run-dir"]));
    return result.verified ? exitCodes.done : exitCodes.failed;
  },
});
