import { expect, test } from "bun:test";
import { sortOpen } from "../../../lib/operate/resume.ts";
import {
  isHeld,
  isWaiting,
  type OpenShard,
  type RunJob,
  shardsOf,
} from "../../../lib/operate/steered-run.ts";
import type { QueuedTasks } from "../../../lib/slurm/squeue.ts";

const copy: RunJob = { jobId: "12", kind: "copy", stride: undefined };
const verify: RunJob = { jobId: "13", kind: "verify", stride: undefined };
const shard = (submission?: string, failedForGood = false): OpenShard => ({
  shard: 7,
  submission,
  failedForGood,
});

/** [the shard, the jobs of the run, whether a task in the queue carries it, what becomes of it] */
test.each<[string, OpenShard, RunJob[], boolean, "back" | "elsewhere" | "nothing"]>([
  ["whose task is in the queue", shard("slurm:12"), [copy], true, "nothing"],
  ["that was started on one machine, and is in the queue now", shard("local:2026"), [copy], true, "nothing"],
  ["whose task has left the queue", shard("slurm:12"), [copy], false, "back"],
  ["whose task left the queue before it started", shard(), [copy], false, "back"],
  ["of a job that was submitted by hand", shard("slurm:99"), [], false, "back"],
  ["that has failed for good", shard("slurm:12", true), [copy], false, "nothing"],
  ["that was started on one machine", shard("local:2026"), [copy], false, "elsewhere"],
  ["that was started by hand", shard("hand:2026"), [copy], false, "elsewhere"],
  ["of a run that was never submitted", shard(), [], false, "elsewhere"],
  ["of a run of which only a comparison was submitted", shard(), [verify], false, "elsewhere"],
])("a shard %s", (_, open, jobs, isCovered, becomes) => {
  const sorted = sortOpen([open], jobs, new Set(isCovered ? [7] : []));
  expect(sorted).toEqual({ back: [], elsewhere: [], ...(becomes === "nothing" ? {} : { [becomes]: [7] }) });
});

test.each<[number | undefined, number[], number, number[]]>([
  [undefined, [3, 5], 10, [3, 5]],
  [undefined, [3, 50], 10, [3]],
  [4, [0, 3], 10, [0, 4, 8, 3, 7]],
])("with the stride %p the tasks %p of %p shards carry %p", (stride, tasks, numShards, shards) => {
  expect(shardsOf({ ...copy, stride }, tasks, numShards)).toEqual(shards);
});

/** [state, reason, whether it waits, whether it is held] as squeue of 22.05 tells them. */
test.each<[string, string, boolean, boolean]>([
  ["PENDING", "Resources", true, false],
  ["PENDING", "JobHeldUser", true, true],
  ["PENDING", "JobHeldAdmin", true, true],
  ["PENDING", "job_requeued_in_held_state", true, true],
  ["PENDING", "JobArrayTaskLimit", true, false],
  ["PENDING", "JobArrayTaskLimit,JobHeldUser", true, false],
  ["RUNNING", "JobHeldUser", false, false],
  ["COMPLETING", "None", false, false],
])("a task that is %s (%s)", (state, reason, waits, held) => {
  const tasks: QueuedTasks = { jobId: "1", taskIds: [1], state, reason, node: null, limit: null };
  expect([isWaiting(tasks), isHeld(tasks)]).toEqual([waits, held]);
});
