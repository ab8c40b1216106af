import { describe, expect, test } from "bun:test";
import { clusterOf } from "../../../cmd/flags/cost.ts";
import analyze from "../../../cmd/manifest/analyze.ts";
import { clusterDefaults } from "../../../lib/estimate/cost-model.ts";
import { always, optionsGiven, toldOf } from "../command-line.ts";

describe("xfer manifest analyze: what its flags say", () => {
  const usual = {
    ...{ ...always, in: "m.jsonl", out: undefined, json: false },
    "base-flags": ["--retries", "10", "--low-level-retries", "20"],
    "assumed-cpus-per-task": 4,
    "assumed-array-concurrency": 64,
    "assumed-core-budget": undefined,
    "max-shard-bytes-tb": 10,
  };
  const rows: [string, object][] = [
    ["", usual],
    ["--out a.json --json", { ...usual, out: "a.json", json: true }],
    ["--base-flags '--exclude a'", { ...usual, "base-flags": ["--exclude", "a"] }],
    ["--base-flags=", { ...usual, "base-flags": [] }],
    [
      "--assumed-cpus-per-task 2 --assumed-core-budget 100",
      { ...usual, "assumed-cpus-per-task": 2, "assumed-core-budget": 100 },
    ],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await optionsGiven(analyze, `--in m.jsonl ${line}`)).toEqual(options);
  });

  test("what is assumed without flags is what the cost model assumes", async () => {
    type Input = Parameters<typeof clusterOf>[0];
    expect(clusterOf(await optionsGiven<Input>(analyze, "--in m.jsonl"))).toEqual(clusterDefaults);
  });
});

describe("xfer manifest analyze: a wrong value is told", () => {
  const rows: [string, string][] = [
    ["", "--in is missing"],
    ["--in m --out=", '--out: must not be empty, not ""'],
    [`--in m --base-flags "'"`, "--base-flags: a quote is not closed"],
    [
      "--in m --assumed-cpus-per-task 0.5",
      '--assumed-cpus-per-task: must be a whole number of at least 1, not "0.5"',
    ],
    ["--in m --assumed-array-concurrency 0", '--assumed-array-concurrency: must be at least 1, not "0"'],
    ["--in m --max-shard-bytes-tb 0", '--max-shard-bytes-tb: must be at least 1, not "0"'],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(analyze, line)).toBe(told);
  });
});
