import { describe, expect, test } from "bun:test";
import estimate, { optionsOf } from "../../../cmd/manifest/estimate.ts";
import { clusterDefaults } from "../../../lib/estimate/cost-model.ts";
import { optionsGiven, toldOf } from "../command-line.ts";

type Input = Parameters<typeof optionsOf>[0];

const needed = "--in m.jsonl --min-rate 1Gbps --max-rate 1GB/s";
const asked = async (line: string) => optionsOf(await optionsGiven<Input>(estimate, `${needed} ${line}`));

describe("xfer manifest estimate: what its flags ask for", () => {
  const usual = {
    ...{ manifestPath: "m.jsonl", minRate: 125_000_000, maxRate: 1_000_000_000 },
    histogram: { mode: "pow2" as const, bins: undefined, min: undefined, max: undefined },
    ...{ preferUnits: undefined, cluster: clusterDefaults },
  };
  const log = { mode: "log" as const, bins: 30, min: 1024, max: 1024 ** 4 };
  const rows: [string, Awaited<ReturnType<typeof asked>>][] = [
    ["", usual],
    ["--max-rate 1Gbps", { ...usual, maxRate: 125_000_000 }],
    ["--prefer-units MBps", { ...usual, preferUnits: "MBps" }],
    ["--no-hist", { ...usual, histogram: { mode: "none" } }],
    ["--hist-bins 5 --hist-min 1", { ...usual, histogram: { ...usual.histogram, bins: 5, min: 1 } }],
    ["--hist-mode log", { ...usual, histogram: log }],
    [
      "--hist-mode log --hist-bins 10 --hist-max 1GiB",
      { ...usual, histogram: { ...log, bins: 10, max: 1024 ** 3 } },
    ],
    ["--assumed-core-budget 8", { ...usual, cluster: { ...clusterDefaults, coreBudget: 8 } }],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await asked(line)).toEqual(options);
  });

  test.each([
    ["--min-rate 2GB/s", "--min-rate is above --max-rate: give the lower rate first"],
    ["--hist-min 0", "--hist-min must be at least 1 and below --hist-max"],
    ["--hist-min 5 --hist-max 5", "--hist-min must be at least 1 and below --hist-max"],
    ["--hist-mode log --hist-max 1KiB", "--hist-min must be at least 1 and below --hist-max"],
  ])("%s", async (line, told) => {
    await expect(asked(line)).rejects.toThrow(new Error(told));
  });
});

describe("xfer manifest estimate: a wrong value is told", () => {
  const rate = "must be a rate with its unit, such as 5Gbps, 800Mbps, 200MB/s or 1.5GiB/s";
  const rows: [string, string][] = [
    ["--in m --max-rate 1Gbps", "--min-rate is missing"],
    [`${needed} --min-rate 5`, `--min-rate: ${rate}, not "5"`],
    [`${needed} --max-rate fast`, `--max-rate: ${rate}, not "fast"`],
    [`${needed} --prefer-units bits`, '--prefer-units: must be one of Gbps, MBps, not "bits"'],
    [`${needed} --hist-mode linear`, '--hist-mode: must be one of pow2, log, not "linear"'],
    [`${needed} --hist-bins 1001`, '--hist-bins: must be at most 1000, not "1001"'],
    [`${needed} --hist-width x`, '--hist-width: must be a whole number from 1 to 1000, not "x"'],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(estimate, line)).toBe(told);
  });
});
