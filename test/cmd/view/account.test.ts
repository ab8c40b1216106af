import { expect, test } from "bun:test";
import { progressLine } from "../../../cmd/view/account.ts";
import { fitParts } from "../../../cmd/view/live-line.ts";
import type { RunProgress } from "../../../lib/run/snapshot.ts";

const now = Date.parse("2026-11-25T08:00:00Z");
const amount = (objects: number, bytes: number) => ({ objects, bytes });

function progress(more: Partial<Omit<RunProgress, "account">>, done = amount(1_234_567, 6e12)): RunProgress {
  const account = {
    listed: amount(12_345_678, 9e12),
    copied: done,
    unchanged: amount(0, 0),
    shards: { total: 256, done: 12, failed: 0 },
  };
  return {
    bytesInFlight: 0,
    bytesPerSecond: 1.2e9,
    etaSeconds: 3_600,
    hindrance: undefined,
    throttling: null,
    ...more,
    account,
  } as unknown as RunProgress;
}

const shown = (of: RunProgress, columns: number) => fitParts(progressLine(of, now).parts, columns);
const down = {
  message: "the destination refuses connections",
  shards: 3,
  sinceMs: now - 40_000,
  nextPassMs: undefined,
};

test("a run that goes well", () => {
  expect(shown(progress({}), 200)).toBe(
    "66%  1,234,567/12,345,678 objects  5.5 TiB/8.2 TiB  1.1 GiB/s  ETA 1h00m  shards 12/256 done, 0 failed",
  );
});

test("bytes on their way are shown, and no more objects", () => {
  expect(shown(progress({ bytesInFlight: 1e12 }), 200)).toStartWith(
    "77%  1,234,567/12,345,678 objects  6.4 TiB/8.2 TiB  ",
  );
});

test("rates and times that mean nothing are not shown as numbers", () => {
  const line = shown(progress({ bytesPerSecond: 0.1854828737479906, etaSeconds: 2_530 * 86_400 }), 200);
  expect(line).toContain("  0 B/s  ETA >99d  ");
  for (const [bytesPerSecond, etaSeconds] of [
    [0, null],
    [Number.NaN, Number.NaN],
    [-1, Number.POSITIVE_INFINITY],
  ] as const) {
    expect(shown(progress({ bytesPerSecond, etaSeconds }), 200)).not.toMatch(/NaN|Infinity|-\d|-0/);
  }
  expect(shown(progress({}, amount(20_000_000, 9.5e12)), 200)).toStartWith("100%  ");
});

test("on 80 columns the reason for a standstill stays, with percent and ETA", () => {
  const line = shown(progress({ hindrance: down, bytesPerSecond: 0, etaSeconds: null }), 79);
  expect(line).toContain("the destination refuses connections, since 40s");
  expect(line).toStartWith("66%  ");
  expect(line).toContain("ETA -");
  expect(line.length).toBeLessThan(80);
});

test("a store that throttles is told where a narrow terminal shows it", () => {
  const throttling = { refused: 42, requests: 100, transfers: 4, wanted: 32 };
  const line = shown(progress({ throttling }), 79);
  expect(line).toContain("throttled: 42% of requests refused, transfers 4 of 32");
  expect(line).toStartWith("66%  ");
  const quiet = { refused: 0, requests: 0, transfers: 4, wanted: 32 };
  expect(shown(progress({ throttling: quiet }), 200)).toContain("throttled: 0% of requests refused");
});

test("a pass that waits says when it goes on", () => {
  const waits = { ...down, nextPassMs: now + 12_400 };
  expect(shown(progress({ hindrance: waits }), 200)).toEndWith(", since 40s; next pass in 12s");
  expect(shown(progress({ hindrance: { ...waits, nextPassMs: now - 1 } }), 200)).toEndWith(", since 40s");
});
