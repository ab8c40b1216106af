import { expect, test } from "bun:test";
import { analysisJson, analysisText, barWidthOf, histogramLines } from "../../../cmd/view/analysis.ts";
import { estimateJson, estimateText } from "../../../cmd/view/estimate.ts";
import type { Analysis } from "../../../lib/estimate/analysis.ts";
import type { Estimate } from "../../../lib/estimate/estimate.ts";

const MiB = 1024 ** 2;
const bin = {
  ...{ range_min: MiB, range_max: 2 * MiB, range_label: "1.0 MiB - 2.0 MiB", file_count: 1_200 },
  ...{ pct_files: 100, bytes: 1_200 * MiB, bytes_human: "1.2 GiB", pct_bytes: 100 },
};
const analysis: Analysis = {
  ...{ schema: "xfer.analysis.v1", status: "ok", total_files: 1_200, total_bytes: 1_200 * MiB },
  total_bytes_human: "1.2 GiB",
  file_size_stats: {
    ...{ min: MiB, max: MiB, median: MiB, mean: MiB, p10: MiB, p90: MiB },
    ...{ small_files_pct: 0, medium_files_pct: 100, large_files_pct: 0 },
  },
  ...{ profile: "mixed", profile_explanation: "neither small nor large objects prevail" },
  ...{ suggested_flags: "--transfers 32", suggested_shard_count: 12, shard_count_reasoning: "a=1; b=12" },
  shard_count_assumptions: {},
  histogram: [bin],
};
const estimate: Estimate = {
  ...{
    schema: "xfer.estimate.v1",
    total_files: 1_200,
    total_bytes: 1_200 * MiB,
    total_bytes_human: "1.2 GiB",
  },
  rates: [
    {
      ...{ bytes_per_second: 625e6, rate_human: "5.00 Gbps", bytes_seconds: 2, bytes_seconds_human: "2s" },
      ...{ expected_seconds: 75, expected_seconds_human: "1m15s", expected_end: "2026-11-25T08:15:00.000Z" },
    },
  ],
  ...{ array_seconds: 75, shards: 12 },
  assumptions: {
    array_concurrency: 64,
    task_bytes_per_second: 100 * MiB,
    task_objects_per_second: 50,
    task_start_seconds: 10,
  } as unknown as Estimate["assumptions"],
  requests: { list: 2, get: 1_200, put: 1_200, part_put: 0, part_post: 0, total: 2_402, per_object: 2.0017 },
  histogram: [],
};

test("an analysis for people", () => {
  expect(analysisText(analysis, 10)).toBe(`1,200 objects, 1.2 GiB
sizes    min 1.0 MiB, p10 1.0 MiB, median 1.0 MiB, mean 1.0 MiB, p90 1.0 MiB, max 1.0 MiB
         below 1 MiB 0%, to 100 MiB 100%, above 0%

    from 1.0 MiB           1,200     1.2 GiB  ██████████

profile  mixed: neither small nor large objects prevail
flags    --transfers 32
shards   12
         a=1
         b=12
`);
});

test("an estimate for people", () => {
  expect(estimateText(estimate, 10)).toBe(`1,200 objects, 1.2 GiB

          rate                 bytes alone      expected               ends at
     5.00 Gbps   596.0 MiB/s            2s         1m15s  2026-11-25T08:15:00Z

expected: no sooner than the array's tasks can: 1m15s for 12 shards,
  64 tasks at a time, each 100.0 MiB/s, 50 objects/s, 10 s to start
requests (S3 to S3): 2 LIST, 1,200 GET, 1,200 PUT, 0 parts, 0 POST: 2.00 an object
`);
});

test("a histogram has a line for each bin that holds something; the longest bar fits", () => {
  const bins = [
    { from: 0, to: 1, objects: 0, bytes: 0 },
    { from: 1, to: 2, objects: 1, bytes: 1 },
    { from: 2, to: 4, objects: 1_000, bytes: 3_000 },
  ];
  const lines = histogramLines(bins, barWidthOf(80));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toEndWith("  █");
  expect(lines.map((line) => Bun.stringWidth(line) < 80)).toEqual([true, true]);
  expect([barWidthOf(20), barWidthOf(400)]).toEqual([10, 60]);
});

test("JSON has objects, bytes and num_shards beside the names that scripts know", () => {
  const names = { objects: 1_200, bytes: 1_200 * MiB, num_shards: 12 };
  const printed = analysisJson(analysis);
  const bins = [{ ...bin, from: MiB, to: 2 * MiB, objects: 1_200 }];
  expect(printed).toEqual({ ...analysis, ...names, histogram: bins });
  expect(estimateJson(estimate)).toEqual({ ...estimate, ...names });
});
