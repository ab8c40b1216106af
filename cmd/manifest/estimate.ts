import { defineCommand } from "citty";
import * as v from "valibot";
import { type EstimateOptions, estimateTransfer } from "../../lib/estimate/estimate.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { parseRate, rateUnits } from "../../lib/system/units.ts";
import * as costFlags from "../flags/cost.ts";
import * as flags from "../flags/values.ts";
import { barWidthOf } from "../view/analysis.ts";
import { estimateJson, estimateText } from "../view/estimate.ts";
import { printJson, printText } from "../view/print.ts";
import { ReadingLine } from "../view/reading-line.ts";

const KiB = 1024;
const TiB = 1024 ** 4;
const logBinsDefault = 30;

const rate = flags.parsed(
  parseRate,
  "must be a rate with its unit, such as 5Gbps, 800Mbps, 200MB/s or 1.5GiB/s",
);

const schema = v.object({
  in: flags.requiredText,
  "min-rate": rate,
  "max-rate": rate,
  "prefer-units": v.optional(flags.oneOf(rateUnits)),
  hist: v.boolean(),
  "hist-mode": flags.oneOf(["pow2", "log"]),
  "hist-bins": v.optional(v.pipe(flags.whole(1), v.maxValue(1000, "must be at most 1000"))),
  "hist-min": v.optional(costFlags.byteCount),
  "hist-max": v.optional(costFlags.byteCount),
  "hist-width": v.optional(v.pipe(flags.whole(1), v.maxValue(1000, "must be at most 1000"))),
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
      description: "a manifest, or what rclone lsjson prints; - for standard input",
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
    "prefer-units": {
      type: "string",
      valueHint: rateUnits.join("|"),
      description: "the unit of the table's rates (default: bits, in the unit that suits)",
    },
    hist: {
      type: "boolean",
      default: true,
      description: "show the sizes as a histogram",
      negativeDescription: "show no histogram",
    },
    "hist-mode": {
      type: "string",
      default: "pow2",
      valueHint: "pow2|log",
      description: "bins of the histogram: powers of two, or of equal ratio",
    },
    "hist-bins": {
      type: "string",
      valueHint: "N",
      description: `how many (pow2: at most; default: all; log: ${logBinsDefault})`,
    },
    "hist-min": {
      type: "string",
      valueHint: "SIZE",
      description: "where they begin; smaller objects share a bin (default: pow2: the smallest; log: 1KiB)",
    },
    "hist-max": {
      type: "string",
      valueHint: "SIZE",
      description: "where they end; larger objects share a bin (default: pow2: the largest; log: 1TiB)",
    },
    "hist-width": {
      type: "string",
      valueHint: "N",
      description: "characters of the longest bar (default: what the terminal has room for)",
    },
    ...costFlags.clusterArgs,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    const { "min-rate": minRate, "max-rate": maxRate } = input;
    if (minRate > maxRate) throw invalidInput("--min-rate is above --max-rate: give the lower rate first");
    const histogram = histogramOf(input);
    const reading = new ReadingLine();
    const estimate = await estimateTransfer({
      manifestPath: input.in,
      minRate,
      maxRate,
      histogram,
      preferUnits: input["prefer-units"],
      cluster: costFlags.clusterOf(input),
      now: new Date(),
      onProgress: reading.show("estimating"),
    });
    reading.clear();
    if (input.json) await printJson(estimateJson(estimate));
    else {
      const barWidth = input["hist-width"] ?? barWidthOf(process.stdout.columns || 80);
      await printText(estimateText(estimate, barWidth));
    }
  },
});

/** The histogram that the flags ask for. Throws invalid input for bounds that hold nothing. */
function histogramOf(input: v.InferOutput<typeof schema>): EstimateOptions["histogram"] {
  const log = input["hist-mode"] === "log";
  const bins = input["hist-bins"];
  const min = input["hist-min"] ?? (log ? KiB : undefined);
  const max = input["hist-max"] ?? (log ? TiB : undefined);
  if ((min !== undefined && min < 1) || (max !== undefined && max <= (min ?? 1))) {
    throw invalidInput("--hist-min must be at least 1 and below --hist-max");
  }
  if (!input.hist) return { mode: "none" };
  return log
    ? { mode: "log", bins: bins ?? logBinsDefault, min: min ?? KiB, max: max ?? TiB }
    : { mode: "pow2", bins, min, max };
}
