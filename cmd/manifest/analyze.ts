import { defineCommand } from "citty";
import * as v from "valibot";
import { analyzeManifest } from "../../lib/estimate/analysis.ts";
import { writeFileDurable } from "../../lib/system/durable.ts";
import { checkResultFile } from "../flags/checks.ts";
import * as costFlags from "../flags/cost.ts";
import * as flags from "../flags/values.ts";
import { analysisJson, analysisText, barWidthOf } from "../view/analysis.ts";
import { printJson, printText } from "../view/print.ts";
import { ReadingLine } from "../view/reading-line.ts";

const schema = v.object({
  in: flags.requiredText,
  out: flags.optionalText,
  "base-flags": flags.words("base-flags"),
  json: v.optional(v.boolean(), false),
  ...costFlags.clusterSchema,
});

export default defineCommand({
  meta: {
    name: "xfer manifest analyze",
    description: "Sizes of the objects, flags for rclone, and how many shards to cut",
  },
  args: {
    in: {
      type: "string",
      required: true,
      valueHint: "FILE",
      description: "a manifest, or what rclone lsjson prints; - for standard input",
    },
    out: { type: "string", valueHint: "FILE", description: "write the JSON here; - for standard output" },
    "base-flags": {
      type: "string",
      default: "--retries 10 --low-level-retries 20",
      valueHint: "FLAGS",
      description: "flags for rclone that follow the suggested ones; they win",
    },
    ...costFlags.clusterArgs,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    const { out } = input;
    if (out !== undefined && out !== "-") checkResultFile("--out", out);
    const reading = new ReadingLine();
    const analysis = await analyzeManifest({
      manifestPath: input.in,
      baseFlags: input["base-flags"],
      cluster: costFlags.clusterOf(input),
      onProgress: reading.show("analyzing"),
    });
    reading.clear();
    if (out !== undefined && out !== "-") {
      writeFileDurable(out, `${JSON.stringify(analysis, null, 2)}\n`);
      if (!input.json) return;
    }
    if (input.json || out === "-") await printJson(analysisJson(analysis));
    else await printText(analysisText(analysis, barWidthOf(process.stdout.columns || 80)));
  },
});
