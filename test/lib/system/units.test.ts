import { describe, expect, test } from "bun:test";
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatEta,
  formatPercent,
  formatRate,
} from "../../../lib/system/units.ts";

/** [number, as bytes, as a rate, as a count, as a rate in bits] */
const numbers: [number, string, string, string, string][] = [
  [0, "0 B", "0 B/s", "0", "0 bps"],
  [-0, "0 B", "0 B/s", "0", "0 bps"],
  [0.1854828737479906, "0 B", "0 B/s", "0", "1 bps"],
  [-0.2, "0 B", "0 B/s", "0", "0 bps"],
  [1, "1 B", "1 B/s", "1", "8 bps"],
  [999, "999 B", "999 B/s", "999", "7.99 kbps"],
  [1000.4, "1000 B", "1000 B/s", "1,000", "8.00 kbps"],
  [1023, "1023 B", "1023 B/s", "1,023", "8.18 kbps"],
  [1023.7, "1.0 KiB", "1.0 KiB/s", "1,024", "8.19 kbps"],
  [1024, "1.0 KiB", "1.0 KiB/s", "1,024", "8.19 kbps"],
  [2 ** 20 - 1, "1.0 MiB", "1.0 MiB/s", "1,048,575", "8.39 Mbps"],
  [124_999_999.9, "119.2 MiB", "119.2 MiB/s", "125,000,000", "1.00 Gbps"],
  [1e15, "909.5 TiB", "909.5 TiB/s", "1,000,000,000,000,000", "8000.00 Tbps"],
  [-1536, "-1.5 KiB", "0 B/s", "-1,536", "0 bps"],
  [Number.NaN, "-", "-", "-", "-"],
  [Number.POSITIVE_INFINITY, "-", "-", "-", "-"],
  [Number.NEGATIVE_INFINITY, "-", "-", "-", "-"],
];

test.each(numbers)("%p", (value, bytes, rate, count, bits) => {
  expect([formatBytes(value), formatRate(value), formatCount(value), formatBitRate(value)]).toEqual([
    bytes,
    rate,
    count,
    bits,
  ]);
});

const day = 86_400;

/** [seconds, as a duration, as what is left] */
const durations: [number | null, string, string][] = [
  [null, "-", "-"],
  [Number.NaN, "-", "-"],
  [Number.POSITIVE_INFINITY, "-", ">99d"],
  [-5, "0s", "0s"],
  [-0, "0s", "0s"],
  [0.4, "0s", "0s"],
  [42, "42s", "42s"],
  [59.6, "1m00s", "1m00s"],
  [187, "3m07s", "3m07s"],
  [3_600, "1h00m", "1h00m"],
  [3 * day + 14_400, "3d04h", "3d04h"],
  [99 * day, "99d00h", "99d00h"],
  [100 * day, "100d00h", ">99d"],
  [2_530 * day, "6.9 years", ">99d"],
  [1e15, "31,709,792 years", ">99d"],
];

test.each(durations)("%p seconds", (seconds, duration, left) => {
  expect([formatDuration(seconds), formatEta(seconds)]).toEqual([duration, left]);
});

describe("a part in percent", () => {
  test.each([
    [0, 10, "0%"],
    [9_999, 10_000, "99%"],
    [10, 10, "100%"],
    [11, 10, "100%"],
    [-1, 10, "0%"],
    [0, 0, "100%"],
    [1, Number.NaN, "100%"],
    [Number.NaN, 10, "-"],
  ])("%p of %p", (part, whole, percent) => expect(formatPercent(part, whole)).toBe(percent));
});
