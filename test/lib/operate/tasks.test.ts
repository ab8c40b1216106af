import { expect, test } from "bun:test";
import { tasksOfShards } from "../../../lib/operate/tasks.ts";
import type { QueuedTasks } from "../../../lib/slurm/squeue.ts";

const queued = (jobId: string, state: string, ...taskIds: number[]): QueuedTasks => ({
  ...{ jobId, taskIds, state, reason: "None", node: null, limit: null },
});
const job = (job_id: string, num_shards: number, num_tasks: number) => ({ job_id, num_shards, num_tasks });
const states = (...args: Parameters<typeof tasksOfShards>) =>
  tasksOfShards(...args).map(({ state }) => state);

test("without an answer of Slurm, or a job, nothing is known", () => {
  expect(states(2, [job("1", 2, 2)], undefined)).toEqual(["unknown", "unknown"]);
  expect(states(2, [], [])).toEqual(["unknown", "unknown"]);
});

test.each<[string, ReturnType<typeof job>[], QueuedTasks[], string[]]>([
  ["a task a shard", [job("1", 3, 3)], [queued("1", "RUNNING", 1)], ["absent", "running", "absent"]],
  ["of an unnoted job", [job("1", 0, 0)], [queued("1", "PENDING", 2)], ["absent", "absent", "pending"]],
  ["every second shard", [job("1", 3, 2)], [queued("1", "RUNNING", 0)], ["running", "absent", "running"]],
  ["some shards, packed", [job("1", 2, 1)], [queued("1", "PENDING", 0)], ["pending", "pending", "pending"]],
  [
    "a later job over an earlier one",
    [job("1", 3, 3), job("2", 1, 1)],
    [queued("1", "RUNNING", 0, 2), queued("2", "PENDING", 2)],
    ["running", "absent", "pending"],
  ],
  [
    "states that are no work",
    [job("1", 3, 3)],
    [queued("1", "REQUEUE_HOLD", 0), queued("1", "COMPLETED", 1), queued("1", "COMPLETING", 2)],
    ["pending", "absent", "running"],
  ],
  ["another run's job", [job("1", 3, 3)], [queued("9", "RUNNING", 0)], ["absent", "absent", "absent"]],
  ["an index beyond the run", [job("1", 0, 0)], [queued("1", "RUNNING", 7)], ["absent", "absent", "absent"]],
])("the tasks of three shards: %s", (_, jobs, queue, expected) => {
  expect(states(3, jobs, queue)).toEqual(expected as ReturnType<typeof states>);
});
