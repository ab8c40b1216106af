import { mkdirSync } from "node:fs";
import { submitRun } from "../launch/submit.ts";
import { noteEvent } from "../run/events.ts";
import { pauseOf } from "../run/pause.ts";
import { writeControl } from "../run/state/control.ts";
import { releaseJobs } from "../slurm/job-control.ts";
import { type QueuedTasks, readQueue } from "../slurm/squeue.ts";
import { operationFailed } from "../system/errors.ts";
import { sleep } from "../system/interrupt.ts";
import {
  countTasks,
  isHeld,
  type OpenShard,
  openRun,
  operator,
  queuedJobs,
  type RunJob,
  type SteeredRun,
  shardsOf,
} from "./steered-run.ts";

/** How often, and how many times at most, tasks that are just ending are looked at again. */
const lookMs = 1_000;
const looksMax = 20;

/** How a run was resumed. */
export interface Resumed {
  wasPaused: boolean;
  /** The jobs of which tasks were held. */
  jobs: string[];
  /** Tasks that were held, and may start again. */
  released: number;
  /** The array of shards whose tasks had left the queue; undefined when there are none. */
  submitted: { jobId: string; shards: number[] } | undefined;
  /** Shards that have failed for good: xfer retry. */
  failed: number;
  /** Shards that something else than Slurm has started last, or nothing: xfer run goes on with them. */
  elsewhere: number;
  /** What could not be done, a line each. */
  problems: string[];
}

/** Resumes a run: state/control first, then what is held is released, and what has left the queue is submitted again. */
export async function resumeRun(
  runDir: string,
  { now, imageCheck, stop }: { now: Date; imageCheck: boolean; stop: AbortSignal },
): Promise<Resumed> {
  const steered = openRun(runDir);
  const { run, open, jobs } = steered;
  const wasPaused = pauseOf(run) !== undefined;
  mkdirSync(run.stateDir, { recursive: true });
  const at = now.toISOString();
  writeControl(run.control, { schema: "xfer.control.v1", wanted: "run", at, by: operator() });
  const failed = open.filter(({ failedForGood }) => failedForGood).length;
  const released =
    jobs.length > 0 ? await release(steered, stop) : { queue: [], jobs: [], tasks: 0, problems: [] };
  const { back, elsewhere } = sortOpen(open, jobs, coveredBy(steered, released.queue));
  const submitted =
    back.length > 0
      ? { jobId: await submitRun(runDir, { now, imageCheck, stop, shards: back }), shards: back }
      : undefined;
  const again = submitted ? `, ${submitted.shards.length} shards submitted again` : "";
  if (wasPaused || released.tasks > 0 || submitted) {
    const ids = [...released.jobs, ...(submitted ? [submitted.jobId] : [])];
    noteEvent(run, { action: "resumed", jobs: ids, detail: `${released.tasks} tasks released${again}`, now });
  }
  return {
    ...{ wasPaused, jobs: released.jobs, released: released.tasks, submitted, failed },
    ...{ elsewhere: elsewhere.length, problems: released.problems },
  };
}

/** Releases all jobs in the queue, and returns the queue once no task is just ending. */
async function release(
  { jobs }: SteeredRun,
  stop: AbortSignal,
): Promise<{ queue: QueuedTasks[]; jobs: string[]; tasks: number; problems: string[] }> {
  const all = jobs.map(({ jobId }) => jobId);
  const look = async () => {
    const queue = await readQueue(all, { apart: true });
    if (queue === undefined) {
      throw operationFailed("squeue does not answer: held tasks were not released: run xfer resume again");
    }
    return queue;
  };
  let queue = await look();
  const held = queue.filter(isHeld);
  const ids = queuedJobs(queue);
  // Also where nothing waits: a running task of a held array would be held when it is requeued.
  const refused = ids.length > 0 ? await releaseJobs(ids) : undefined;
  // A task that is just ending may come back by its own requeue.
  for (let looks = 0; looks < looksMax && !stop.aborted; looks++) {
    queue = await look();
    if (!queue.some(({ state }) => state === "COMPLETING")) break;
    await sleep(lookMs, stop);
  }
  const still = queue.filter(isHeld);
  const problems =
    still.length > 0
      ? [
          `${countTasks(still)} tasks are still held (${refused ?? still[0]?.reason}): scontrol release ${queuedJobs(still).join(" ")}`,
        ]
      : [];
  return { queue, jobs: queuedJobs(held), tasks: countTasks(held) - countTasks(still), problems };
}

/** The shards that tasks in the queue carry. */
function coveredBy({ jobs, meta }: SteeredRun, queue: readonly QueuedTasks[]): Set<number> {
  const byId = new Map(jobs.map((job) => [job.jobId, job]));
  return new Set(
    queue.flatMap(({ jobId, taskIds }) => {
      const job = byId.get(jobId);
      return job?.kind === "copy" ? shardsOf(job, taskIds, meta.num_shards) : [];
    }),
  );
}

/**
 * What is to be done with each shard that is not done:
 *
 * | the shard | then |
 * |---|---|
 * | a task in the queue carries it | nothing: it goes on |
 * | has failed for good | nothing: xfer retry tries it again |
 * | was started last by something else than Slurm | elsewhere: xfer run goes on with it |
 * | was not started yet, and the run has no job that copies | elsewhere |
 * | any other: its task has left the queue | back: it is submitted again |
 */
export function sortOpen(
  open: readonly OpenShard[],
  jobs: readonly RunJob[],
  covered: ReadonlySet<number>,
): { back: number[]; elsewhere: number[] } {
  const copies = jobs.some(({ kind }) => kind === "copy");
  const sorted = { back: [] as number[], elsewhere: [] as number[] };
  for (const { shard, submission, failedForGood } of open) {
    if (covered.has(shard) || failedForGood) continue;
    const isSlurms = submission === undefined ? copies : submission.startsWith("slurm:");
    sorted[isSlurms ? "back" : "elsewhere"].push(shard);
  }
  return sorted;
}
