import { describe, expect, test } from "bun:test";
import { silenceLimits, silenceLimitsOf } from "../../../agent/decide/silence.ts";

const facts = {
  records: 1000,
  largestBytes: 0,
  source: "s3" as const,
  dest: "s3" as const,
  looksAtSource: false,
  looksAtDest: false,
  checkers: 8,
  tpsLimit: 0,
};

describe("how long rclone may be idle", () => {
  const rows: [string, Partial<Parameters<typeof silenceLimits>[0]>, number][] = [
    ["no look-ups", {}, 60],
    ["no look-ups, many records", { records: 1e6 }, 60],
    ["posix", { source: "posix", looksAtSource: true }, 65],
    ["a HEAD each", { looksAtSource: true }, 85],
    ["both sides", { source: "other", dest: "other", looksAtSource: true, looksAtDest: true }, 160],
    ["few records", { source: "other", looksAtSource: true, records: 10 }, 60.5],
    ["few checkers", { looksAtSource: true, checkers: 1 }, 260],
    ["a limit of requests", { looksAtSource: true, tpsLimit: 10 }, 160],
    ["a limit of one request a second", { looksAtSource: true, tpsLimit: 1 }, 1060],
    ["a limit of requests that is no limit", { looksAtSource: true, tpsLimit: 1000 }, 85],
    ["a limit of requests, posix", { source: "posix", looksAtSource: true, tpsLimit: 1 }, 65],
  ];
  for (const [what, change, seconds] of rows) {
    test(what, () => expect(silenceLimits({ ...facts, ...change }).idleMs).toBe(seconds * 1000));
  }
});

test("silence: longer than between two lines of statistics, and before the first as long as an image may take", () => {
  const { silentMs, unheardMs } = silenceLimits(facts);
  expect(silentMs).toBe(60_000);
  expect(unheardMs).toBe(30 * 60_000);
});

test("one object under way may take an hour, and longer when it is large", () => {
  expect(silenceLimits(facts).stuckMs).toBe(3_600_000);
  expect(silenceLimits({ ...facts, largestBytes: 36e9 }).stuckMs).toBe(2 * 3_600_000);
});

describe("the limits by rclone's words", () => {
  const idle = (words: string, env: Record<string, string> = {}, source: "s3" | "posix" = "s3") =>
    silenceLimitsOf({ records: 1000, largestBytes: 0, source, dest: "s3" }, words.split(" "), env).idleMs;
  const rows: [string, number, Record<string, string>?, "posix"?][] = [
    ["--no-check-dest --s3-no-head-object", 60],
    ["--no-check-dest", 85],
    ["--size-only", 110],
    ["--no-check-dest --s3-no-head-object", 65, {}, "posix"],
    ["--no-check-dest --checkers 4", 110],
    ["--no-check-dest --checkers=4 --checkers=2", 160],
    ["--no-check-dest --tpslimit 10", 160],
    ["--no-check-dest --checkers x", 85],
    ["--no-check-dest --checkers 0", 85],
    ["--no-check-dest --checkers 1", 260],
    ["--no-check-dest --checkers=", 85],
    ["--no-check-dest", 110, { RCLONE_CHECKERS: "4" }],
    ["--no-check-dest --checkers 8", 85, { RCLONE_CHECKERS: "4" }],
  ];
  for (const [words, seconds, env, source] of rows) {
    test(`${words} ${JSON.stringify(env ?? {})} ${source ?? ""}`, () =>
      expect(idle(words, env, source)).toBe(seconds * 1000));
  }
});
