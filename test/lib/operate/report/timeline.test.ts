import { expect, test } from "bun:test";
import type { ReportShard } from "../../../../lib/operate/report/schema.ts";
import { faultsOf, timelineOf } from "../../../../lib/operate/report/timeline.ts";
import type { RunEvent } from "../../../../lib/run/events.ts";
import { minuteAt } from "./made-run.ts";

const event = (minute: number, action: RunEvent["action"], jobs: string[] = []): RunEvent => ({
  ...{ schema: "xfer.event.v1", at: minuteAt(minute), action, by: "ann@login", jobs, detail: "why" },
});
const submission = (job_id: string, minute: number) => ({
  ...{ schema: "xfer.submission.v1" as const, job_id, kind: "copy" as const, num_shards: 3, num_tasks: 1 },
  submitted_at: minuteAt(minute),
});
const nothing = { milestones: [], submissions: [], events: [], faults: [], moreFaults: 0 };

test("what happened is told in the order of time, a submission once, and nothing without a time", () => {
  const { timeline, more } = timelineOf({
    ...nothing,
    milestones: [
      { at: minuteAt(9), what: "compared", detail: "verified" },
      { at: null, what: "began", detail: "" },
    ],
    submissions: [submission("7", 1), submission("8", 4), { ...submission("9", 5), submitted_at: "" }],
    events: [event(2, "throttled", ["8"]), event(3, "submitted", ["8"])],
    moreFaults: 2,
  });
  expect(timeline.map(({ at, what, jobs, by }) => [at, what, jobs.join(), by])).toEqual([
    [minuteAt(1), "submitted", "7", null],
    [minuteAt(2), "throttled", "8", "ann@login"],
    [minuteAt(3), "submitted", "8", "ann@login"],
    [minuteAt(9), "compared", "", null],
  ]);
  expect(timeline[0]?.detail).toBe("3 shards in 1 task");
  expect(more).toBe(2);
});

test("of very many events the last ones are told, and how many are not", () => {
  const events = Array.from({ length: 1_500 }, (_, minute) => event(minute, "throttled"));
  const { timeline, more } = timelineOf({ ...nothing, events });
  expect([timeline.length, more, timeline[0]?.at]).toEqual([1_000, 500, minuteAt(500)]);
});

const shardOf = (state: ReportShard["state"]): ReportShard => ({
  ...{ shard: 4, state, records: 1, bytes: 1, proven: 0, proven_bytes: 0, sha256: "", starts: 3, node: "n1" },
  ...{ started_at: minuteAt(1), ended_at: state === "failed" ? minuteAt(9) : null },
  ...{ class: state === "failed" ? "auth" : null, message: state === "failed" ? "refused" : null },
  spans: [{ attempt: 3, node: "n1", from: minuteAt(5), to: minuteAt(8), outcome: null }],
});
const counts = { lost_starts: 0, walltime_stops: 0, preemptions: 0, other_stops: 0 };

test.each<[string, Parameters<typeof faultsOf>[0], string[][]]>([
  ["well", { shard: shardOf("done"), stoppedBy: null, badNodes: [], counts }, []],
  [
    "failed",
    { shard: shardOf("failed"), stoppedBy: null, badNodes: [], counts },
    [[minuteAt(9), "failed", "auth: refused"]],
  ],
  [
    "stopped",
    { shard: shardOf("stopped"), stoppedBy: "walltime", badNodes: [], counts },
    [[minuteAt(8), "stopped", "by walltime"]],
  ],
  [
    "lost twice, on a bad node, and then well",
    { shard: shardOf("done"), stoppedBy: null, badNodes: ["n7"], counts: { ...counts, lost_starts: 2 } },
    [[minuteAt(5), "restarted", "starts before: 2 lost; no container on n7"]],
  ],
])("faults of a shard: %s", (_, state, entries) => {
  expect(faultsOf(state).map(({ at, what, detail }) => [at, what, detail])).toEqual(entries);
});
