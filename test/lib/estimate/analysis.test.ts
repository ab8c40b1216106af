import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { analyzeManifest } from "../../../lib/estimate/analysis.ts";
import {
  arraySeconds,
  clusterDefaults,
  minShardSecondsHere,
  suggestShards,
} from "../../../lib/estimate/cost-model.ts";
import { boundedBins, estimateTransfer } from "../../../lib/estimate/estimate.ts";
import { isListing } from "../../../lib/estimate/size-input.ts";
import { SizeStats } from "../../../lib/estimate/size-stats.ts";
import { formatBitRate, parseBytes, parseRate } from "../../../lib/system/units.ts";
import { seededRandom } from "../../data/fill.ts";
import { paretoSize, recordLine } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const MiB = 1024 * 1024;
const TiB = 1024 ** 4;

test("percentiles, counts and bins are those of the sorted sizes, within the stated bound", () => {
  const random = seededRandom(21);
  for (const count of [1, 2, 9, 1000, 20_001]) {
    const sizes = Array.from({ length: count }, () =>
      random() < 0.05 ? 0 : paretoSize(random) >> (random() * 12),
    );
    const stats = new SizeStats();
    for (const size of sizes) stats.add(size);
    const sorted = sizes.toSorted((a, b) => a - b);
    for (const share of [0, 0.1, 0.5, 0.9, 0.999, 1]) {
      const exact = sorted[Math.floor(share * (count - 1))] ?? 0;
      const found = stats.percentile(share);
      if (exact < 2048) expect(found).toBe(exact);
      else expect(Math.abs(found - exact)).toBeLessThanOrEqual(0.0005 * exact + 1);
    }
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(stats).toMatchObject({ objects: count, bytes, min: sorted[0] ?? 0, max: sorted[count - 1] ?? 0 });
    expect(stats.small).toBe(sizes.filter((size) => size < MiB).length);
    expect(stats.large).toBe(sizes.filter((size) => size > 100 * MiB).length);
    for (const { from, to, objects, bytes: binBytes } of stats.histogram()) {
      const inside = sizes.filter((size) => size >= from && size < to);
      expect([objects, binBytes]).toEqual([inside.length, inside.reduce((sum, size) => sum + size, 0)]);
    }
    expect(stats.histogram().reduce((sum, { objects }) => sum + objects, 0)).toBe(count);
  }
});

test("sizes up to 2^53 have a bucket of their own magnitude", () => {
  for (let power = 0; power < 53; power++) {
    for (const size of [2 ** power, 2 ** (power + 1) - 1]) {
      const stats = new SizeStats();
      stats.add(size);
      expect(stats.percentile(0.5)).toBe(size);
      expect(stats.histogram()).toEqual([
        { from: 2 ** power, to: 2 ** (power + 1), objects: 1, bytes: size },
      ]);
    }
  }
});

/** A manifest of objects of these sizes. */
function manifestOf(dir: string, sizes: readonly number[]): string {
  const path = join(dir, "m.jsonl");
  writeFileSync(path, sizes.map((size, i) => recordLine({ path: `k${i}`, size })).join(""));
  return path;
}

describe("the profile and its flags", () => {
  /** [what the objects are, their sizes, profile] */
  const rows: [string, number[], string][] = [
    ["most below 1 MiB", [...Array.from({ length: 8 }, () => 1000), 5 * MiB, 500 * MiB], "small_files"],
    ["the median below 1 MiB", [1, 2, 3, 4, 5, MiB, MiB, MiB, MiB], "small_files"],
    ["most above 100 MiB", [1, 101 * MiB, 101 * MiB, 200 * MiB], "large_files"],
    ["neither", [1, 2 * MiB, 3 * MiB, 101 * MiB], "mixed"],
  ];
  for (const [what, sizes, profile] of rows) {
    test(what, async () => {
      using dir = temporaryDirectory();
      const baseFlags = ["--retries", "3", "--transfers", "7", "--header", "X: y"];
      const manifestPath = manifestOf(dir.path, sizes);
      const analysis = await analyzeManifest({ manifestPath, baseFlags, cluster: clusterDefaults });
      expect(analysis).toMatchObject({ status: "ok", profile, total_files: sizes.length });
      expect(analysis.suggested_flags).toMatch(/^--checkers .* --retries 3 --transfers 7 --header 'X: y'$/);
      expect(analysis.suggested_flags.match(/--transfers/g)?.length).toBe(1);
    });
  }
});

describe("the number of shards", () => {
  const here = { arrayConcurrency: 2, minShardSeconds: minShardSecondsHere };
  /** [what the data set is, objects, bytes, changes of the assumptions, shards] */
  const rows: [string, number, number, Partial<typeof clusterDefaults>, number][] = [
    ["one small object", 1, 100, {}, 1],
    ["a minute of work", 1000, 10 * 1024 * MiB, {}, 1],
    ["ten million tiny objects: every place of the array", 1e7, 1e11, {}, 64],
    ["a hundred million tiny objects: a million each at most, in full waves", 1e8, 1e12, {}, 128],
    ["two full waves of what the core budget runs", 1e7, 1e11, { coreBudget: 40 }, 20],
    ["a hundred TiB: half an hour each", 1e6, 100 * TiB, {}, 128],
    ["ten PiB: ten TiB each", 1e6, 10_240 * TiB, {}, 1024],
    ["ten PiB with a smaller cap", 1e6, 10_240 * TiB, { maxShardBytesTb: 1 }, 10_240],
    ["fewer objects than places", 5, 5 * TiB, {}, 5],
    ["here: five small files", 5, 10, here, 1],
    ["here: 2,500 of 100 kB", 2500, 2.5e8, here, 2],
    ["here: a million of 100 kB", 1e6, 1e11, here, 2],
    ["here: ten million of 100 kB", 1e7, 1e12, here, 10],
    ["here: one of 1 TB", 1, 1e12, here, 1],
    ["here: three of 1 TB", 3, 3e12, here, 3],
    ["here, with 64 CPUs: five small files", 5, 10, { ...here, arrayConcurrency: 64 }, 1],
    ["here, with 64 CPUs: a million of 100 kB", 1e6, 1e11, { ...here, arrayConcurrency: 64 }, 64],
  ];
  for (const [what, objects, bytes, changes, shards] of rows) {
    test(what, () => {
      const suggestion = suggestShards({ objects, bytes }, { ...clusterDefaults, ...changes });
      expect(suggestion.shards).toBe(shards);
      expect(suggestion.reasoning).toContain(`chose ${shards}`);
      expect(suggestion.assumptions).toMatchObject({ total_files: objects, total_bytes: bytes });
    });
  }
});

test("an estimate: seven rates, requests, and an end that neither the network nor the array beats", async () => {
  using dir = temporaryDirectory();
  const sizes = [...Array.from({ length: 1500 }, () => 1000), 300 * MiB, 201 * MiB];
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const now = new Date(0);
  const options = {
    manifestPath: manifestOf(dir.path, sizes),
    minRate: 1e6,
    maxRate: 64e6,
    preferUnits: undefined,
    cluster: clusterDefaults,
    now,
  };
  const estimate = await estimateTransfer({
    ...options,
    histogram: { mode: "log", bins: 3, min: 100, max: 100 * MiB },
  });
  const rates = estimate.rates.map(({ bytes_per_second }) => Math.round(bytes_per_second / 1e6));
  expect(rates).toEqual([1, 2, 4, 8, 16, 32, 64]);
  const array = arraySeconds({ objects: sizes.length, bytes }, estimate.shards, clusterDefaults);
  for (const { bytes_per_second, bytes_seconds, expected_seconds, expected_end } of estimate.rates) {
    expect(bytes_seconds).toBeCloseTo(bytes / bytes_per_second);
    expect(expected_seconds).toBe(Math.max(bytes_seconds, array));
    expect(Date.parse(expected_end)).toBe(Math.floor(expected_seconds * 1000));
  }
  expect(estimate.requests).toMatchObject({ list: 2, get: 1502, put: 1500, part_post: 4 });
  expect(Math.abs(estimate.requests.part_put - (60 + 41))).toBeLessThanOrEqual(1);
  expect(estimate.histogram.map(({ objects }) => objects)).toEqual([1500, 0, 0, 2]);
});

describe("a histogram of powers of two within bounds", () => {
  const stats = new SizeStats();
  for (const size of [0, 3, 1000, 5000, MiB, 3 * MiB]) stats.add(size);
  /** [the bounds, from each bin's first size its objects] */
  const rows: [Parameters<typeof boundedBins>[1], [number, number][]][] = [
    [
      { min: 1024, max: 8192 },
      [
        [0, 3],
        [1024, 0],
        [2048, 0],
        [4096, 1],
        [8192, 2],
      ],
    ],
    [
      { min: 1025, max: 8191 },
      [
        [0, 3],
        [1024, 0],
        [2048, 0],
        [4096, 1],
        [8192, 2],
      ],
    ],
    [
      { bins: 2 },
      [
        [0, 1],
        [2, 2],
        [4096, 3],
      ],
    ],
    [
      { bins: 1, min: 512, max: 4 * MiB },
      [
        [0, 2],
        [512, 4],
      ],
    ],
    [
      { min: 4 * MiB },
      [
        [0, 6],
        [4 * MiB, 0],
      ],
    ],
  ];
  test.each(rows)("%o", (bounds, bins) => {
    const found = boundedBins(stats.histogram(), bounds);
    expect(found.map(({ from, objects }) => [from, objects])).toEqual(bins);
  });

  test("without bounds, and of no objects but empty ones", () => {
    expect(boundedBins(stats.histogram(), {})).toEqual(stats.histogram());
    const empty = new SizeStats();
    empty.add(0);
    expect(boundedBins(empty.histogram(), { bins: 3 })).toEqual(empty.histogram());
  });
});

describe("an input is told by its beginning", () => {
  /** [what it begins with, whether that is a listing] */
  const rows: [string, boolean][] = [
    ['[{"Path":"a","Size":1}]', true],
    ["\uFEFF \n[", true],
    ['{"Path":"a","Size":1,"IsDir":false}\n', true],
    ['{"path":"a","size":1}\n', true],
    ['{\n  "Path": "a",\n  "Size": 1', true],
    ['{"schema":"xfer.manifest.v1","path":"a","size":1}\n', false],
    ['{"schema":"xfer.manifest.v1","path":"a","Size":', false],
    ['{"path":"a"}\n', false],
    ["a,b", false],
    ["", false],
  ];
  test.each(rows)("%j", (head, listing) => {
    expect(isListing(head)).toBe(listing);
  });
});

test("units", () => {
  const sizes = {
    "0": 0,
    "1048576": 1048576,
    "1MiB": MiB,
    "1M": MiB,
    "1MB": 1e6,
    "1.5 GB": 1.5e9,
    "2KiB": 2048,
    "7B": 7,
  };
  for (const [text, bytes] of Object.entries(sizes)) expect([text, parseBytes(text)]).toEqual([text, bytes]);
  for (const text of ["", "x", "-1", "1X", "1iB", "0.3", "9000P"])
    expect([text, parseBytes(text)]).toEqual([text, undefined]);
  const rates = {
    "8bps": 1,
    ".5Gbps": 62.5e6,
    "5Gbps": 625e6,
    "40 Gbit/s": 5e9,
    "200MB/s": 2e8,
    "1GiB/s": 1024 ** 3,
    "1.5MBps": 1.5e6,
  };
  for (const [text, rate] of Object.entries(rates)) expect([text, parseRate(text)]).toEqual([text, rate]);
  for (const text of ["5", "5G", "0Gbps", "5 parsecs", "Gbps"])
    expect([text, parseRate(text)]).toEqual([text, undefined]);
  expect([formatBitRate(625e6), formatBitRate(1e6), formatBitRate(100)]).toEqual([
    "5.00 Gbps",
    "8.00 Mbps",
    "800 bps",
  ]);
});
