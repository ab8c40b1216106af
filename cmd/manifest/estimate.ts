import { type EstimateOptions, estimateTransfer } from "../../lib/estimate/estimate.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { parseRate, rateUnits } from "../../lib/system/units.ts";
import { command } from "../cli/command.ts";
import { clusterFlag } from "../flags/cluster.ts";
import { byteCount, clusterFlags, clusterOf } from "../flags/cost.ts";
import type { OptionsOf } from "../flags/flag.ts";
import { flag } from "../flags/make.ts";
import { inputFlag } from "../flags/manifest.ts";
import { jsonFlag } from "../flags/output.ts";
import { barWidthOf } from "../view/analysis.ts";
import { estimateJson, estimateText } from "../view/estimate.ts";
import { printJson, printText } from "../view/print.ts";
import { ReadingLine } from "../view/reading-line.ts";

const KiB = 1024;
const TiB = 1024 ** 4;
const logBinsDefault = 30;

/** What a rate is read by, and what it must be. */
const rate = [
  parseRate,
  "must be a rate with its unit, such as 5Gbps, 800Mbps, 200MB/s or 1.5GiB/s",
] as const;

const flags = {
  in: inputFlag,
  "min-rate": flag.parsed(...rate, {
    required: true,
    valueHint: "RATE",
    group: "what",
    common: true,
    description: "the least rate, such as 5Gbps",
  }),
  "max-rate": flag.parsed(...rate, {
    required: true,
    valueHint: "RATE",
    group: "what",
    common: true,
    description: "the highest, such as 5GB/s",
  }),
  "prefer-units": flag.oneOf(rateUnits, {
    group: "output",
    common: true,
    defaultText: "bits, in the unit that suits",
    description: "the unit of the table's rates",
  }),
  hist: flag.onOff({
    default: true,
    group: "output",
    description: "show the sizes as a histogram",
    negativeDescription: "show no histogram",
  }),
  "hist-mode": flag.oneOf(["pow2", "log"], {
    default: "pow2",
    group: "output",
    description: "bins of the histogram: powers of two, or of equal ratio",
  }),
  "hist-bins": flag.whole(1, 1000, {
    ...{ group: "output", defaultText: `log: ${logBinsDefault}; pow2: all` },
    description: "how many bins; pow2: at most",
  }),
  "hist-min": flag.parsed(...byteCount, {
    valueHint: "SIZE",
    group: "output",
    defaultText: "log: 1KiB; pow2: the smallest",
    description: "where they begin; smaller objects share a bin",
  }),
  "hist-max": flag.parsed(...byteCount, {
    valueHint: "SIZE",
    group: "output",
    defaultText: "log: 1TiB; pow2: the largest",
    description: "where they end; larger objects share a bin",
  }),
  "hist-width": flag.whole(1, 1000, {
    group: "output",
    defaultText: "what the terminal has room for",
    description: "characters of the longest bar",
  }),
  ...clusterFlags,
  cluster: clusterFlag,
  json: jsonFlag,
};

export default command({
  name: "xfer manifest estimate",
  description: "How long a transfer takes, and how many requests",
  details: [
    "What it says rests on the assumptions that it prints. --in may be what rclone lsjson prints, as one array or an " +
      "object a line; a listing that is torn is refused.",
  ],
  examples: [
    {
      says: "Between two rates",
      line: "xfer manifest estimate --in manifest.jsonl --min-rate 5Gbps --max-rate 5GB/s",
    },
    {
      says: "With a histogram of ten bins of equal ratio",
      line: "xfer manifest estimate --in manifest.jsonl --min-rate 1Gbps --max-rate 10Gbps --hist-mode log --hist-bins 10",
    },
  ],
  flags,
  async run(input) {
    const options = optionsOf(input);
    const reading = new ReadingLine();
    const estimate = await estimateTransfer({
      ...options,
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

/** What the flags ask for. Throws invalid input for rates that are the wrong way round. */
export function optionsOf(input: OptionsOf<typeof flags>): Omit<EstimateOptions, "now" | "onProgress"> {
  const { "min-rate": minRate, "max-rate": maxRate } = input;
  if (minRate > maxRate) throw invalidInput("--min-rate is above --max-rate: give the lower rate first");
  return {
    manifestPath: input.in,
    minRate,
    maxRate,
    histogram: histogramOf(input),
    preferUnits: input["prefer-units"],
    cluster: clusterOf(input),
  };
}

/** The histogram that the flags ask for. Throws invalid input for bounds that hold nothing. */
function histogramOf(input: OptionsOf<typeof flags>): EstimateOptions["histogram"] {
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
