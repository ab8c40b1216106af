import { expect, test } from "bun:test";
import { groupFailures } from "../../../lib/operate/failure-groups.ts";
import { jobRows } from "../../../lib/operate/job-rows.ts";
import { type ShardRow, sortRows } from "../../../lib/operate/shard-rows.ts";
import { startsOf } from "../../../lib/operate/starts.ts";
import { shardFailures } from "../../../lib/run/shard-failures.ts";
import type { AttemptState } from "../../../lib/run/state/attempt.ts";
import type { FailState } from "../../../lib/run/state/fail.ts";
import type { SubmittedJob } from "../../../lib/run/submissions.ts";

const error = (path: string, message: string, failure: FailState["class"] = "auth") => ({
  ...{ path, size: 10, class: failure, message },
});
const fail = (failed: number, errors: FailState["errors"]) =>
  ({ shard: 3, class: "auth", message: "why", failed, failed_bytes: 10 * failed, errors }) as FailState;

test("a .fail says its failures by class and end, those that it does not name too", () => {
  const errors = [
    error("a", "PutObject: AccessDenied"),
    error("b", "PutObject: AccessDenied"),
    error("c", "failed to open source object: AccessDenied"),
    error("d", "gone", "missing"),
  ];
  expect(
    shardFailures(fail(10, errors)).map(({ class: name, end, path, objects }) => [name, end, path, objects]),
  ).toEqual([
    ["auth", "destination", "a", 8],
    ["auth", "source", "c", 1],
    ["missing", null, "d", 1],
  ]);
  expect(shardFailures(fail(5, []))).toEqual([
    { class: "auth", end: null, message: "why", path: null, objects: 5, bytes: 50 },
  ]);
});

test("failures of all shards are joined: what needs the user first comes first", () => {
  const [auth, missing] = [fail(2, [error("a", "PutObject")]), fail(1, [error("m", "gone", "missing")])];
  const shards = [
    { shard: 1, isFinal: false, failures: shardFailures(missing) },
    { shard: 2, isFinal: true, failures: shardFailures(auth) },
    { shard: 5, isFinal: false, failures: shardFailures(auth) },
  ];
  expect(groupFailures(shards)).toEqual([
    {
      ...{ class: "auth", end: "destination", num_shards: 2, num_final: 1, objects: 4, bytes: 40 },
      example: { shard: 2, path: "a", message: "PutObject" },
    },
    {
      ...{ class: "missing", end: null, num_shards: 1, num_final: 0, objects: 1, bytes: 10 },
      example: { shard: 1, path: "m", message: "gone" },
    },
  ]);
});

test("starts are added up, with how the last one ended", () => {
  const start = (more: Partial<AttemptState>) =>
    ({
      ...{ attempt: 2, walltime_stops: 0, preemptions: 0, lost_starts: 0, other_stops: 0, bad_nodes: [] },
      ...{ outcome: "failed", stopped_by: null, ...more },
    }) as unknown as AttemptState;
  const of = (state: "requeue" | "running" | "stopped", more: Partial<AttemptState>) => ({
    ...{ state, facts: { start: start(more) } },
  });
  expect(
    startsOf([
      of("requeue", { outcome: "stopped", stopped_by: "walltime", walltime_stops: 3 }),
      of("requeue", { outcome: "stopped", stopped_by: "preemption" }),
      of("requeue", { outcome: "running", bad_nodes: ["b", "a"] }),
      of("running", { outcome: "running", bad_nodes: ["b"] }),
      of("stopped", { outcome: "stopped", stopped_by: "other" }),
      { state: "waiting", facts: { start: undefined } },
    ]),
  ).toEqual({
    ...{ total: 10, walltime_stops: 4, preemptions: 1, lost_starts: 1, other_stops: 1 },
    bad_nodes: [
      { node: "b", shards: 2 },
      { node: "a", shards: 1 },
    ],
  });
});

test("jobs are told with the reason why most of their tasks wait", () => {
  const job = (job_id: string, kind: SubmittedJob["kind"] = "copy") =>
    ({ job_id, kind, submitted_at: "t", num_shards: 9, num_tasks: 9 }) as SubmittedJob;
  const tasks = (jobId: string, state: string, reason: string, ...taskIds: number[]) => ({
    ...{ jobId, state, reason, taskIds, node: null, limit: jobId === "1" ? 4 : null },
  });
  const queue = [
    tasks("1", "RUNNING", "None", 0),
    tasks("1", "PENDING", "BeginTime", 1),
    tasks("1", "PENDING", "Resources", 2, 3, 4),
    tasks("2", "PENDING", "Dependency"),
  ];
  const rest = { submitted_at: "t" };
  expect(jobRows([job("1"), job("2", "collect"), job("3")], queue)).toEqual([
    { job_id: "1", kind: "copy", ...rest, running: 1, pending: 4, reason: "Resources", limit: 4 },
    { job_id: "2", kind: "collect", ...rest, running: 0, pending: 1, reason: "Dependency", limit: null },
    { job_id: "3", kind: "copy", ...rest, running: 0, pending: 0, reason: null, limit: null },
  ]);
});

test.each([
  ["shard", [0, 1, 2, 3]],
  ["eta", [2, 1, 0, 3]],
  ["bytes", [3, 0, 1, 2]],
  ["attempts", [1, 0, 2, 3]],
] as const)("shards are sorted by %s", (by, order) => {
  const row = (shard: number, state: string, more: object) =>
    ({ shard, state, attempt: 1, bytes: 10, bytes_done: 0, eta_seconds: null, ...more }) as ShardRow;
  const rows = [
    row(3, "waiting", { bytes: 99 }),
    row(0, "running", { eta_seconds: 5 }),
    row(1, "running", { eta_seconds: 50, attempt: 4, bytes_done: 1 }),
    row(2, "running", { bytes_done: 2 }),
  ];
  expect(sortRows(rows, by).map(({ shard }) => shard)).toEqual([...order]);
});
