import { type SubmittedJob, strideOf } from "../run/submissions.ts";
import { shardsOfTask } from "../slurm/array-limits.ts";
import type { QueuedTasks } from "../slurm/squeue.ts";

/** What Slurm knows of the array task that carries a shard. */
export interface ShardTask {
  /** "absent": Slurm was asked and has none; "unknown": nobody was asked, or Slurm did not answer. */
  state: "running" | "pending" | "absent" | "unknown";
  jobId: string | null;
  /** Whether the task carries other shards, too. */
  isPacked: boolean;
}

/** A copying job of the run. */
type CopyJob = Pick<SubmittedJob, "job_id" | "num_shards" | "num_tasks">;

/** States of a task that waits, the first time or to be started again. */
const waiting = /^(?:PENDING|REQUEUED|REQUEUE_FED|REQUEUE_HOLD|RESV_DEL_HOLD|SPECIAL_EXIT)$/;
/** States of a task that is on a node, or is being put there or taken away. */
const onNode = /^(?:RUNNING|CONFIGURING|COMPLETING|SIGNALING|STAGE_OUT|STOPPED|SUSPENDED|RESIZING)$/;

/**
 * The tasks of a run's shards, of the jobs in the order of their submission; a later job counts for its shards.
 *
 * | the job has | task t carries |
 * |---|---|
 * | a task a shard, or says nothing of it | shard t |
 * | fewer tasks than shards, or a stride | the shards t, t + stride, ... |
 */
export function tasksOfShards(
  numShards: number,
  jobs: readonly CopyJob[],
  queue: readonly QueuedTasks[] | undefined,
): ShardTask[] {
  const isKnown = queue !== undefined && jobs.length > 0;
  const tasks: ShardTask[] = Array.from({ length: numShards }, () => ({
    ...{ state: isKnown ? "absent" : "unknown", jobId: null, isPacked: false },
  }));
  if (!isKnown) return tasks;
  for (const job of jobs) {
    const stride = strideOf(job);
    const isPacked = stride !== null;
    for (const { jobId, taskIds, state: word } of queue) {
      const state = waiting.test(word) ? "pending" : onNode.test(word) ? "running" : undefined;
      if (jobId !== job.job_id || state === undefined) continue;
      const shards =
        stride === null ? taskIds : taskIds.flatMap((task) => shardsOfTask(task, stride, numShards));
      for (const shard of shards) {
        const known = tasks[shard];
        // Of the tasks that may carry a shard, one that runs says more than one that waits.
        if (known && !(known.jobId === jobId && known.state === "running"))
          tasks[shard] = { state, jobId, isPacked };
      }
    }
  }
  return tasks;
}
