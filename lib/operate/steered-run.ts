import { hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import { type RunConfig, readRunConfig } from "../run/config.ts";
import { type RunLayout, runLayout, shardLayout } from "../run/layout.ts";
import { readAttempt } from "../run/state/attempt.ts";
import { isValidDone, readDone } from "../run/state/done.ts";
import { readFail } from "../run/state/fail.ts";
import { readSubmissions, type SubmissionKind, strideOf } from "../run/submissions.ts";
import { requireShardsMeta, type ShardsMeta } from "../shard/meta.ts";
import { shardsOfTask } from "../slurm/array-limits.ts";
import type { QueuedTasks } from "../slurm/squeue.ts";

/** A run that is steered, as its run directory tells of it. */
export interface SteeredRun {
  /** Its own path is absolute. */
  run: RunLayout;
  config: RunConfig;
  meta: ShardsMeta;
  /** The shards that are not done. */
  open: OpenShard[];
  jobs: RunJob[];
}

/** A shard that is not done. */
export interface OpenShard {
  shard: number;
  /** What started it last: `slurm:<array job>`, `local:<time>` or `hand:<time>`; undefined when nothing has. */
  submission: string | undefined;
  /** Whether only the user brings it on: its .fail is final. */
  failedForGood: boolean;
}

/** A Slurm job of a run. */
export interface RunJob {
  jobId: string;
  kind: SubmissionKind;
  /** The distance from one of a task's shards to the next; undefined where a task has the shard of its own number. */
  stride: number | undefined;
}

/** Reads a run that is to be steered. Throws invalid input when it is none, or its shards are not there. */
export function openRun(runDir: string): SteeredRun {
  const run = runLayout(resolve(runDir));
  const config = readRunConfig(run.config);
  const meta = requireShardsMeta(run.shardsMeta);
  const open = meta.shards.flatMap((entry, shard): OpenShard[] => {
    const layout = shardLayout(run, shard);
    if (isValidDone(readDone(layout.done), entry)) return [];
    const attempt = readAttempt(layout.attempt);
    const fail = readFail(layout.fail);
    return [
      {
        shard,
        submission: attempt.kind === "value" ? attempt.value.submission : undefined,
        failedForGood: fail.kind === "value" && fail.value.final,
      },
    ];
  });
  return { run, config, meta, open, jobs: jobsOf(run, open) };
}

/** The jobs of a run: those that xfer has submitted, and those of submit.sh or sbatch, which tasks of theirs tell of. */
export function jobsOf(run: RunLayout, open: readonly OpenShard[]): RunJob[] {
  const jobs = new Map<string, RunJob>();
  for (const { submission } of open) {
    const [, jobId] = /^slurm:(\d+)$/.exec(submission ?? "") ?? [];
    if (jobId !== undefined) jobs.set(jobId, { jobId, kind: "copy", stride: undefined });
  }
  for (const job of readSubmissions(run)) {
    const { job_id: jobId, kind } = job;
    if (!/^\d+$/.test(jobId)) continue;
    jobs.set(jobId, { jobId, kind, stride: strideOf(job) ?? undefined });
  }
  return [...jobs.values()];
}

/** The shards that tasks of a job carry. */
export function shardsOf({ stride }: RunJob, taskIds: readonly number[], numShards: number): number[] {
  if (stride === undefined) return taskIds.filter((task) => task < numShards);
  return taskIds.flatMap((task) => shardsOfTask(task, stride, numShards));
}

/** The jobs that are in the queue, each once. */
export const queuedJobs = (queue: readonly QueuedTasks[]): string[] => [
  ...new Set(queue.map(({ jobId }) => jobId)),
];

/** How many tasks these are; a job that is no array counts as one. */
export const countTasks = (queue: readonly QueuedTasks[]): number =>
  queue.reduce((sum, { taskIds }) => sum + Math.max(1, taskIds.length), 0);

/** Whether tasks wait for their turn, and would start. */
export const isWaiting = ({ state }: QueuedTasks): boolean => state === "PENDING" || state === "REQUEUED";

/** Whether tasks wait until they are released, all of them. */
export const isHeld = ({ state, reason }: QueuedTasks): boolean =>
  state === "REQUEUE_HOLD" || (state === "PENDING" && reason.split(",").every((one) => /held/i.test(one)));

/** The user of this process, as events and the control file name him: user@host. */
export const operator = (): string => `${userInfo().username}@${hostname()}`;
