import { expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { spacingOf, thinned } from "../../agent/decide/samples.ts";
import { Samples } from "../../agent/samples.ts";
import type { ProgressState } from "../../lib/run/state/progress.ts";
import { readSamples } from "../../lib/run/state/samples.ts";
import { temporaryDirectory } from "../stage/harness.ts";

const start = Date.parse("2026-11-22T08:00:00Z");
const minute = 60_000;

const progress = (atMs: number, more: Partial<ProgressState> = {}): ProgressState => ({
  ...{ schema: "xfer.progress.v1", shard: 3, sha256: "a".repeat(64), attempt: 1, pass: 1, node: "n1" },
  ...{
    records: 10,
    bytes: 1_000,
    objects_done: 4,
    bytes_done: 400,
    objects_unchanged: 0,
    bytes_unchanged: 0,
  },
  ...{ bytes_in_flight: 50, bytes_per_second: 1, eta_seconds: 1, errors: 2, throttled: 7, throttling: null },
  ...{ transfers: null, hindrance: null, plan: "", updated_at: new Date(atMs).toISOString() },
  ...more,
});

/** Samples of a new attempt in a folder; a heartbeat comes every 2 s. */
function attemptIn(dir: string, linesMax?: number) {
  const problems: string[] = [];
  const path = join(dir, "shard_3.samples");
  const samples = new Samples(path, {
    onProblem: (message) => problems.push(message),
    ...(linesMax === undefined ? {} : { linesMax }),
  });
  const beats = (fromMs: number, minutes: number, attempt = 1) => {
    for (let at = 0; at <= minutes * minute; at += 2_000) {
      samples.note(progress(fromMs + at, { attempt }), 8, at === minutes * minute);
    }
  };
  return { path, problems, samples, beats };
}

const gaps = (path: string): number[] => {
  const at = readSamples(path).map((sample) => (Date.parse(sample.at) - start) / minute);
  return at.map((time, i) => time - (at[i - 1] ?? 0)).slice(1);
};

test("a line at the start, one a minute, and one at the end", () => {
  using dir = temporaryDirectory();
  const { path, beats } = attemptIn(dir.path);
  beats(start, 3.5);
  expect(gaps(path)).toEqual([1, 1, 1, 0.5]);
  expect(readSamples(path)[0]).toEqual({
    ...{ at: "2026-11-22T08:00:00.000Z", attempt: 1, objects: 4, bytes: 450, errors: 2, throttled: 7 },
    transfers: 8,
  });
});

test("the next attempt goes on, also after a line that a kill has torn", () => {
  using dir = temporaryDirectory();
  const first = attemptIn(dir.path);
  first.beats(start, 2);
  appendFileSync(first.path, '{"at":"2026-11-22T0');
  attemptIn(dir.path).beats(start + 10 * minute, 2, 2);
  expect(readSamples(first.path).map(({ attempt }) => attempt)).toEqual([1, 1, 1, 2, 2, 2]);
  expect(gaps(first.path)).toEqual([1, 1, 8, 1, 1]);
});

test("however long a shard lasts, and over several attempts, the file is bounded and its lines are evenly spaced", () => {
  using dir = temporaryDirectory();
  const { path, beats } = attemptIn(dir.path, 20);
  beats(start, 100);
  // Thinned at 20 lines, to 10 or 11, three times: 1, 2, 4 and then 8 minutes.
  expect(gaps(path).length).toBeLessThan(20);
  expect(
    gaps(path)
      .slice(0, -1)
      .every((gap) => gap <= 8),
  ).toBe(true);
  expect(gaps(path).filter((gap) => gap === 8).length).toBeGreaterThanOrEqual(8);
  // A new agent finds out how far apart they are.
  const before = readSamples(path).length;
  attemptIn(dir.path, 20).beats(start + 100 * minute, 16, 2);
  expect(readSamples(path).length).toBe(before + 3);
  expect(Date.parse(readSamples(path).at(-1)?.at ?? "")).toBe(start + 116 * minute);
});

test("a thousand lines are the most, of some hundred kilobytes", () => {
  using dir = temporaryDirectory();
  const { path, samples } = attemptIn(dir.path);
  for (let i = 0; i < 5_000; i++) samples.note(progress(start + i * minute), 8, true);
  expect(readSamples(path).length).toBeLessThan(1_000);
  expect(statSync(path).size).toBeLessThan(200_000);
  expect(readFileSync(path, "utf8").endsWith("}\n")).toBe(true);
});

test("what keeps samples from being written is said once, and throws nothing", () => {
  using dir = temporaryDirectory();
  mkdirSync(join(dir.path, "shard_3.samples"));
  const { problems, beats } = attemptIn(dir.path);
  beats(start, 5);
  expect(problems).toEqual([expect.stringMatching(/^no more samples are kept: EISDIR/)]);
});

test.each<[string[], string[]]>([
  [[], []],
  [["a"], ["a"]],
  [
    ["a", "b", "c", "d"],
    ["a", "c", "d"],
  ],
  [
    ["a", "b", "c", "d", "e"],
    ["a", "c", "e"],
  ],
])("%p is thinned to %p", (lines, left) => {
  expect(thinned(lines)).toEqual(left);
});

const line = ([attempt, at]: readonly [number, number]) =>
  JSON.stringify({
    ...{ at: new Date(start + at * minute).toISOString(), attempt, objects: 0, bytes: 0, errors: 0 },
    ...{ throttled: 0, transfers: null },
  });

/** [the lines, as attempt and minute, the spacing in minutes] */
test.each<[string, [number, number][], number]>([
  ["no line", [], 1],
  [
    "a few lines",
    [
      [1, 0],
      [1, 9],
    ],
    1,
  ],
  [
    "a minute apart",
    [
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 3],
    ],
    1,
  ],
  [
    "four minutes apart, but for the ends",
    [
      [1, 0],
      [1, 4],
      [1, 8],
      [1, 8.1],
      [2, 30],
      [2, 34],
      [2, 38],
    ],
    4,
  ],
  [
    "each of an attempt of its own",
    [
      [1, 0],
      [2, 8],
      [3, 16],
      [4, 24],
      [5, 32],
    ],
    1,
  ],
  [
    "with a night in which the agent was suspended",
    [
      [1, 0],
      [1, 2],
      [1, 4],
      [1, 700],
      [1, 702],
    ],
    2,
  ],
  [
    "of a clock that went back",
    [
      [1, 9],
      [1, 8],
      [1, 7],
      [1, 6],
    ],
    1,
  ],
  [
    "closer than a minute",
    [
      [1, 0],
      [1, 0.1],
      [1, 0.2],
      [1, 0.3],
    ],
    1,
  ],
])("lines %s", (_, lines, minutes) => {
  expect(spacingOf([...lines.map(line), "torn"], minute)).toBe(minutes * minute);
});
