import { expect, test } from "bun:test";
import { type ShardHistory, spansOf, standingsOf } from "../../../../lib/operate/report/standings.ts";
import type { AttemptState } from "../../../../lib/run/state/attempt.ts";
import type { Sample } from "../../../../lib/run/state/samples.ts";
import { madeAt, minuteAt } from "./made-run.ts";

const limits = { fromMs: Date.parse(madeAt) - 86_400_000, toMs: Date.parse(madeAt) + 86_400_000 };

const attemptOf = (attempt: number, minute: number, more: Partial<AttemptState> = {}): AttemptState => ({
  ...{ schema: "xfer.attempt.v1", shard: 0, sha256: "", attempt, submission: "", spent: 0 },
  ...{ walltime_stops: 0, preemptions: 0, lost_starts: 0, other_stops: 0, early_stops: 0, bad_nodes: [] },
  ...{ transfers: null, outcome: "running", stopped_by: null, proven_at_start: 0, got_to_copy: null },
  ...{ node: "n1", host: "n1", boot: null, pid_namespace: null, agent: { pid: 1, start: "" }, child: null },
  started_at: minuteAt(minute),
  ...more,
});

const sample = (minute: number, attempt: number, objects: number): Sample => ({
  ...{
    at: minuteAt(minute),
    attempt,
    objects,
    bytes: objects * 10,
    errors: 0,
    throttled: 0,
    transfers: null,
  },
});

const endAt = (minute: number, attempt = 1, outcome: "done" | "failed" = "done") => ({
  ...{ at: minuteAt(minute), attempt, node: "n2", objects: 100, bytes: 1_000, outcome },
});

const historyOf = (parts: Partial<ShardHistory>): ShardHistory => ({
  ...{ records: 100, bytes: 1_000, samples: [], attempt: undefined, progress: undefined, end: undefined },
  ...parts,
});

/** Minute, attempt, objects and bytes of each standing. */
const shownOf = (history: ShardHistory) =>
  standingsOf(history, limits).map(({ atMs, attempt, objects, bytes }) => [
    ...[(atMs - Date.parse(madeAt)) / 60_000, attempt, objects, bytes],
  ]);

test.each<[string, Partial<ShardHistory>, number[][]]>([
  ["nothing", {}, []],
  ["a start alone", { attempt: attemptOf(1, 2) }, [[2, 1, 0, 0]]],
  [
    "start and end",
    { attempt: attemptOf(1, 2), end: endAt(5) },
    [
      [2, 1, 0, 0],
      [5, 1, 100, 1_000],
    ],
  ],
  [
    "a later attempt without samples begins with its part",
    { attempt: attemptOf(2, 2, { proven_at_start: 40 }), end: endAt(5, 2) },
    [
      [2, 2, 40, 400],
      [5, 2, 100, 1_000],
    ],
  ],
  [
    "a later attempt begins as the last sample stood; samples are in the order of time",
    { attempt: attemptOf(2, 4), samples: [sample(5, 2, 60), sample(2, 1, 30), sample(3, 1, 50)] },
    [
      [2, 1, 30, 300],
      [3, 1, 50, 500],
      [4, 2, 50, 500],
      [5, 2, 60, 600],
    ],
  ],
  [
    "times that are no times, or of another year",
    { attempt: attemptOf(1, 1), samples: [{ ...sample(2, 1, 5), at: "then" }, sample(600_000, 1, 9)] },
    [[1, 1, 0, 0]],
  ],
])("%s", (_, parts, standings) => {
  expect(shownOf(historyOf(parts))).toEqual(standings);
});

test("the starts of a shard: the last one by its state, earlier ones by their samples", () => {
  const samples = [sample(1, 1, 10), sample(3, 1, 20), sample(11, 3, 30)];
  const attempt = attemptOf(3, 10, { node: "n3", outcome: "stopped" });
  expect(spansOf(historyOf({ samples, attempt }), limits)).toEqual([
    { attempt: 1, node: null, from: minuteAt(1), to: minuteAt(3), outcome: null },
    { attempt: 3, node: "n3", from: minuteAt(10), to: minuteAt(11), outcome: "stopped" },
  ]);
  expect(spansOf(historyOf({ samples, attempt, end: endAt(12, 3, "failed") }), limits).at(-1)).toEqual({
    ...{ attempt: 3, node: "n2", from: minuteAt(10), to: minuteAt(12), outcome: "failed" },
  });
});
