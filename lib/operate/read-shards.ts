import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { type RunLayout, shardLayout } from "../run/layout.ts";
import { readAttempt } from "../run/state/attempt.ts";
import { isValidDone, readDone } from "../run/state/done.ts";
import { pastFailPath, readFail } from "../run/state/fail.ts";
import { readLock } from "../run/state/lock.ts";
import { readProgress } from "../run/state/progress.ts";
import { readSubmissions, strideOf } from "../run/submissions.ts";
import type { ShardsMeta } from "../shard/meta.ts";
import { shardsOfTask } from "../slurm/array-limits.ts";
import { type QueuedTasks, readQueue } from "../slurm/squeue.ts";
import { errnoOf } from "../system/errors.ts";
import { runsStill } from "../system/process-identity.ts";
import { classesIn, type ShardFacts } from "./shard-standing.ts";

/** An agent writes its .progress every 2 s: one of another host that has not for so long is gone. */
const silenceMs = 60_000;

const noClasses: ReadonlySet<never> = new Set();

/** How all shards of a run stand. */
export interface RunFacts {
  shards: ShardFacts[];
  /** The copying jobs of the run that are known: those of submissions.jsonl, and those that agents name. */
  jobs: string[];
  /** The tasks of these jobs that are in the queue; undefined where Slurm does not say. */
  queue: QueuedTasks[] | undefined;
}

/** Reads how all shards of a run stand, with one call of squeue where the run has jobs and `askQueue` is no other. */
export async function readShards(
  run: RunLayout,
  meta: ShardsMeta,
  nowMs: number,
  askQueue: typeof readQueue = readQueue,
): Promise<RunFacts> {
  const there = namesIn(run.stateDir);
  const lastAside = lastFailsAside(there);
  const files = meta.shards.map((entry, shard) => {
    const layout = shardLayout(run, shard);
    const has = (path: string) => there.has(basename(path));
    const isDone = has(layout.done) && isValidDone(readDone(layout.done), entry);
    const attempt = !isDone && has(layout.attempt) ? readAttempt(layout.attempt) : undefined;
    const fail = !isDone && has(layout.fail) ? readFail(layout.fail) : undefined;
    const isOwn = fail?.kind === "value" && (fail.value.sha256 ?? entry.sha256) === entry.sha256;
    const aside = isDone || isOwn ? undefined : lastAside.get(shard);
    const past = aside === undefined ? undefined : readFail(pastFailPath(layout.fail, aside));
    const known = isOwn ? fail.value : past?.kind === "value" ? past.value : undefined;
    return {
      isDone,
      // A torn .attempt is of an agent that started, too.
      wasStarted: attempt !== undefined,
      submission: attempt?.kind === "value" ? attempt.value.submission : "",
      fail: isOwn ? { attempt: fail.value.attempt, isFinal: fail.value.final } : undefined,
      classes: known ? classesIn(known) : noClasses,
      lives: !isDone && has(layout.lock) && agentLives(layout, nowMs),
    };
  });
  const jobs = jobsOf(
    run,
    files.map(({ submission }) => submission),
  );
  const queue = await askQueue(jobs);
  const queued = shardsInQueue(run, queue ?? [], meta.num_shards);
  const shards = files.map(({ lives, submission: _, ...facts }, shard) => ({
    ...facts,
    isBusy: lives || queued.has(shard),
  }));
  return { shards, jobs, queue };
}

function namesIn(folder: string): Set<string> {
  try {
    return new Set(readdirSync(folder));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return new Set();
    throw error;
  }
}

/** The attempt of the last .fail of each shard that was set aside, by the names in the folder of the state. */
function lastFailsAside(names: Iterable<string>): Map<number, number> {
  const last = new Map<number, number>();
  for (const name of names) {
    const [, shard, attempt] = /^shard_(\d+)\.fail\.(\d+)$/.exec(name) ?? [];
    if (shard === undefined) continue;
    last.set(Number(shard), Math.max(Number(attempt), last.get(Number(shard)) ?? 0));
  }
  return last;
}

/** Whether the agent that holds a shard's lock lives: by its pid where that can be looked up, else by its heartbeat. */
function agentLives({ lock, progress }: { lock: string; progress: string }, nowMs: number): boolean {
  const holder = readLock(lock)?.holder;
  if (holder === undefined) return false;
  const runs = runsStill(holder.agent, holder);
  if (runs !== undefined) return runs;
  const beat = readProgress(progress);
  return beat.kind === "value" && nowMs - Date.parse(beat.value.updated_at) < silenceMs;
}

/** The copying jobs of a run. One that was submitted by hand is known by its agents alone. */
function jobsOf(run: RunLayout, submissions: readonly string[]): string[] {
  const jobs = readSubmissions(run).flatMap(({ kind, job_id }) => (kind === "copy" ? [job_id] : []));
  const named = submissions.flatMap((name) => /^slurm:(\d+)$/.exec(name)?.[1] ?? []);
  return [...new Set([...jobs, ...named])].filter((job) => /^\d+$/.test(job));
}

/** The shards that tasks of the queue carry. */
function shardsInQueue(run: RunLayout, queue: readonly QueuedTasks[], numShards: number): Set<number> {
  const strides = new Map(readSubmissions(run).map((job) => [job.job_id, strideOf(job)]));
  const carried = queue.flatMap(({ jobId, taskIds }) => {
    const stride = strides.get(jobId) ?? null;
    return stride === null ? taskIds : taskIds.flatMap((task) => shardsOfTask(task, stride, numShards));
  });
  return new Set(carried);
}
