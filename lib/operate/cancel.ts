import { noteEvent } from "../run/events.ts";
import { cancelJobs } from "../slurm/job-control.ts";
import { type QueuedTasks, readQueue } from "../slurm/squeue.ts";
import { operationFailed } from "../system/errors.ts";
import { sleep } from "../system/interrupt.ts";
import { countTasks, isWaiting, openRun, queuedJobs, type RunJob } from "./steered-run.ts";

/** How long a task that was just requeueing itself has to show up again, and how often that is looked at. */
const lookMs = 1_000;
const looksMax = 5;

/** A job of which tasks were cancelled. */
export interface CancelledJob extends Pick<RunJob, "jobId" | "kind"> {
  running: number;
  waiting: number;
}

/** Cancels all jobs of a run that are in the queue, of any kind. Its proofs stay. Throws where Slurm refuses it. */
export async function cancelRun(runDir: string, now: Date, stop: AbortSignal): Promise<CancelledJob[]> {
  const { run, jobs } = openRun(runDir);
  if (jobs.length === 0) return [];
  const all = jobs.map(({ jobId }) => jobId);
  const before = await queueOf(all);
  const ids = queuedJobs(before);
  if (ids.length === 0) return [];
  let refused = await cancelJobs(ids);
  let left: QueuedTasks[] = [];
  // A task that asked for its requeue at this very moment comes back, and is cancelled again.
  for (let looks = 0; looks < looksMax && !stop.aborted; looks++) {
    await sleep(lookMs, stop);
    left = (await queueOf(all)).filter(({ state }) => state !== "COMPLETING");
    if (left.length === 0) break;
    refused = await cancelJobs(queuedJobs(left));
  }
  const cancelled = jobs.flatMap(({ jobId, kind }): CancelledJob[] => {
    const tasks = before.filter((one) => one.jobId === jobId);
    if (tasks.length === 0) return [];
    const waiting = countTasks(tasks.filter(isWaiting));
    return [{ jobId, kind, waiting, running: countTasks(tasks) - waiting }];
  });
  const detail = `${countTasks(before)} tasks in ${ids.length} jobs`;
  noteEvent(run, { action: "cancelled", jobs: ids, detail, now });
  if (left.length > 0) {
    const why = refused ?? "Slurm has not ended them yet";
    throw operationFailed(`${countTasks(left)} tasks are still in the queue (${why}): run xfer cancel again`);
  }
  return cancelled;
}

async function queueOf(ids: readonly string[]): Promise<QueuedTasks[]> {
  const queue = await readQueue(ids);
  if (queue === undefined) throw operationFailed("squeue does not answer: it is not known what to cancel");
  return queue;
}
