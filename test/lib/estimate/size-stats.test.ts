import { expect, test } from "bun:test";
import { SizeStats } from "../../../lib/estimate/size-stats.ts";

const MiB = 1024 * 1024;

/** The figures of these sizes. */
function statsOf(...sizes: number[]): SizeStats {
  const stats = new SizeStats();
  for (const size of sizes) stats.add(size);
  return stats;
}

test("no object: nothing is small, large or anything", () => {
  const stats = statsOf();
  expect(stats).toMatchObject({ objects: 0, bytes: 0, max: 0, small: 0, large: 0, unknown: 0, inParts: 0 });
  expect(stats.percentile(0.5)).toBe(0);
  expect(stats.histogram()).toEqual([]);
});

test("an object of unknown size counts, with no bytes", () => {
  expect(statsOf(-1, 5)).toMatchObject({ objects: 2, bytes: 5, unknown: 1, min: 0, small: 2 });
});

/** [size, small, large, in parts] */
test.each([
  [0, 1, 0, 0],
  [MiB - 1, 1, 0, 0],
  [MiB, 0, 0, 0],
  [100 * MiB, 0, 0, 0],
  [100 * MiB + 1, 0, 1, 0],
  [200 * MiB, 0, 1, 0],
  [200 * MiB + 1, 0, 1, 1],
  [Number.MAX_SAFE_INTEGER, 0, 1, 1],
])("an object of %d bytes", (size, small, large, inParts) => {
  expect(statsOf(size)).toMatchObject({
    small,
    large,
    inParts,
    bytesInParts: inParts * size,
    min: size,
    max: size,
  });
});

test("the percentiles of ten, the lower of two", () => {
  const stats = statsOf(10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
  expect([0, 0.1, 0.5, 0.9, 0.99, 1].map((share) => stats.percentile(share))).toEqual([1, 1, 5, 9, 9, 10]);
  const withEmpty = statsOf(0, 0, 0, 5, 6);
  expect([0, 0.5, 0.74, 0.75, 1].map((share) => withEmpty.percentile(share))).toEqual([0, 0, 0, 5, 6]);
});

test("the histogram goes from the smallest to the largest, the empty ones by themselves", () => {
  expect(statsOf(0, 1, 5, 7, 16).histogram()).toEqual([
    { from: 0, to: 1, objects: 1, bytes: 0 },
    { from: 1, to: 2, objects: 1, bytes: 1 },
    { from: 2, to: 4, objects: 0, bytes: 0 },
    { from: 4, to: 8, objects: 2, bytes: 12 },
    { from: 8, to: 16, objects: 0, bytes: 0 },
    { from: 16, to: 32, objects: 1, bytes: 16 },
  ]);
});
