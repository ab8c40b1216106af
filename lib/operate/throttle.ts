import { noteEvent } from "../run/events.ts";
import { limitArray } from "../slurm/job-control.ts";
import { readQueue } from "../slurm/squeue.ts";
import { operationFailed } from "../system/errors.ts";
import { openRun, queuedJobs } from "./steered-run.ts";

/**
 * Lets so many tasks of each array of a run run at a time, of those that are in the queue; tasks that run beyond that go on.
 * Returns the ids of these arrays. Throws where Slurm refuses it for any of them.
 */
export async function throttleRun(runDir: string, tasks: number, now: Date): Promise<string[]> {
  const { run, jobs } = openRun(runDir);
  const queue = await readQueue(jobs.map(({ jobId }) => jobId));
  if (queue === undefined) throw operationFailed("squeue does not answer: it is not known what to throttle");
  // A job that is no array, such as the one that adds up a verification, has no such limit.
  const arrays = queuedJobs(queue.filter(({ taskIds }) => taskIds.length > 0));
  const refused: string[] = [];
  for (const jobId of arrays) {
    const why = await limitArray(jobId, tasks);
    if (why !== undefined) refused.push(`job ${jobId}: ${why}`);
  }
  const limited = arrays.length - refused.length;
  if (limited > 0)
    noteEvent(run, { action: "throttled", jobs: arrays, detail: `${tasks} tasks at a time`, now });
  if (refused.length > 0) throw operationFailed(refused.join("; "));
  return arrays;
}
