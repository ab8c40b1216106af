import { defineCommand } from "citty";
import * as v from "valibot";
import { estimateTransfer } from "../../lib/manifest/estimate.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { parseRate } from "../../lib/system/units.ts";
import * as costFlags from "../cost-flags.ts";
import * as flags from "../flags.ts";
import { printJson, printText } from "../print.ts";
import { estimateText } from "./estimate-text.ts";
import { ReadingLine } from "./read-progress.ts";

const rate = v.pipe(
  v.string(),
  v.transform((given) => parseRate(given)),
  v.number("must be a rate with its unit, such as 5Gbps, 200MB/s or 1.5GiB/s"),
);

const schema = v.object({
  in: flags.requiredText,
  "min-rate": rate,
  "max-rate": rate,
  "hist-mode": flags.oneOf(["pow2", "log"]),
  "hist-bins": flags.whole(1),
  "hist-min": costFlags.byteCount,
  "hist-max": costFlags.byteCount,
  json: v.optional(v.boolean(), false),
  ...costFlags.clusterSchema,
});

export default defineCommand({
  meta: { name: "xfer manifest estimate", description: "How long a transfer takes, and how many requests" },
  args: {
    in: {
      type: "string",
      required: true,
      valueHint: "FILE",
      description: "the manifest; - for standard input",
    },
    "min-rate": {
      type: "string",
      required: true,
      valueHint: "RATE",
      description: "the least rate, such as 5Gbps",
    },
    "max-rate": {
      type: "string",
      required: true,
      valueHint: "RATE",
      description: "the highest, such as 5GB/s",
    },
    "hist-mode": {
      type: "string",
      default: "pow2",
      valueHint: "pow2|log",
      description: "bins of the histogram",
    },
    "hist-bins": { type: "string", default: "20", valueHint: "N", description: "how many (log)" },
    "hist-min": { type: "string", default: "1KiB", valueHint: "SIZE", description: "where they begin (log)" },
    "hist-max": { type: "string", default: "1TiB", valueHint: "SIZE", description: "where they end (log)" },
    ...costFlags.clusterArgs,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    const { "min-rate": minRate, "max-rate": maxRate, "hist-min": min, "hist-max": max } = input;
    if (minRate > maxRate) throw invalidInput("--min-rate is above --max-rate");
    if (min < 1 || min >= max) throw invalidInput("--hist-min must be at least 1 and below --hist-max");
    const reading = new ReadingLine();
    const estimate = await estimateTransfer({
      manifestPath: input.in,
      minRate,
      maxRate,
      histogram:
        input["hist-mode"] === "log" ? { mode: "log", bins: input["hist-bins"], min, max } : { mode: "pow2" },
      cluster: costFlags.clusterOf(input),
      now: new Date(),
      onProgress: reading.show("estimating"),
    });
    reading.clear();
    if (input.json) await printJson(estimate);
    else await printText(estimateText(estimate, process.stdout.columns || 80));
  },
});
