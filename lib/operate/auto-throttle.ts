import { noteEvent } from "../run/events.ts";
import { shardLayout } from "../run/layout.ts";
import { type ProgressState, readProgress } from "../run/state/progress.ts";
import { limitArray } from "../slurm/job-control.ts";
import { type QueuedTasks, readQueue } from "../slurm/squeue.ts";
import { Lease, type LeaseHolder } from "./lease.ts";
import {
  countTasks,
  isHeld,
  isWaiting,
  jobsOf,
  openRun,
  queuedJobs,
  type RunJob,
  type SteeredRun,
  shardsOf,
} from "./steered-run.ts";
import {
  type Bounds,
  beginLimit,
  type LimitLook,
  type LimitState,
  nextLimit,
  sharesOf,
} from "./throttle-law.ts";

/** How often it is looked at a run, by default: squeue is asked once each time. */
export const throttleLookSeconds = 30;

/** After so many looks in a row that find no task in the queue, the run has ended: a requeue may hide a task once. */
const emptyLooksMax = 2;

/** How a look has ended. */
export type ThrottleTick =
  | { kind: "same" | "changed"; limit: number; reason: string | undefined; running: number; waiting: number }
  /** Slurm did not answer, or refused the change: the next look tries again. */
  | { kind: "failed"; limit: number; problem: string }
  /** Nothing of the run is in the queue any more. */
  | { kind: "ended"; limit: number }
  /** Another process has taken this one for dead, and steers the run. */
  | { kind: "lost"; limit: number };

/** What the controller needs. */
export interface AutoThrottleOptions {
  runDir: string;
  min: number;
  /** The --array-concurrency of the run when it is left out. */
  max: number | undefined;
  now: Date;
  stop: AbortSignal;
}

/**
 * Takes the right to throttle a run by itself. Returns what does it, one look a tick; or who does it already; undefined when
 * it was stopped first. Throws invalid input when the directory holds no run.
 */
export async function autoThrottle(
  options: AutoThrottleOptions,
): Promise<AutoThrottle | { heldBy: LeaseHolder } | undefined> {
  const steered = openRun(options.runDir);
  const { run, config } = steered;
  const max = Math.max(options.min, options.max ?? config.array_concurrency);
  const lease = await Lease.take(run.throttleLease, { now: options.now, stop: options.stop });
  if (!(lease instanceof Lease)) return lease;
  return new AutoThrottle(steered, lease, { min: options.min, max });
}

/** The last that was seen of a shard's attempt. */
type Seen = Pick<
  ProgressState,
  "attempt" | "throttled" | "objects_done" | "bytes_done" | "bytes_in_flight" | "updated_at"
>;

/** Throttles the arrays of a run by what the heartbeats say. Call `end` when no tick follows. */
export class AutoThrottle {
  readonly bounds: Bounds;
  readonly #steered: SteeredRun;
  readonly #lease: Lease;
  #state: LimitState;
  #seen = new Map<number, Seen>();
  /** The limit that Slurm has taken; undefined before the first. */
  #set: number | undefined;
  #emptyLooks = 0;

  constructor(steered: SteeredRun, lease: Lease, bounds: Bounds) {
    this.#steered = steered;
    this.#lease = lease;
    this.bounds = bounds;
    this.#state = beginLimit(steered.config.array_concurrency, bounds);
  }

  /** Gives the lease back; the limit stays as it is. */
  end(): void {
    this.#lease.release();
  }

  /** Looks once at the run and changes its limit where that is called for. A `queue` that was just read saves a squeue. */
  async tick(now: Date, queue?: readonly QueuedTasks[]): Promise<ThrottleTick> {
    const { limit } = this.#state;
    if (!this.#lease.isHeld()) return { kind: "lost", limit };
    const { run, open } = this.#steered;
    // A retry may have added one since.
    const jobs = jobsOf(run, open);
    const copies = jobs.filter(({ kind }) => kind === "copy").map(({ jobId }) => jobId);
    const all = queue ?? (await readQueue(copies));
    if (all === undefined) return { kind: "failed", limit, problem: "squeue does not answer" };
    const tasks = all.filter(({ jobId }) => copies.includes(jobId));
    this.#emptyLooks = tasks.length === 0 ? this.#emptyLooks + 1 : 0;
    if (this.#emptyLooks >= emptyLooksMax) return { kind: "ended", limit };
    this.#begin(tasks);
    const seen = this.#look(jobs, tasks);
    const { state, reason } = nextLimit(this.#state, seen, this.bounds);
    const facts = { running: seen.running, waiting: seen.waiting };
    // The first look sets the limit in any case: it may lie out of the bounds.
    if (state.limit === this.#set || tasks.length === 0) {
      this.#state = state;
      return { kind: "same", limit: state.limit, reason: undefined, ...facts };
    }
    const problem = await this.#limit(queuedJobs(tasks), state.limit);
    if (problem !== undefined) return { kind: "failed", limit, problem };
    const before = this.#set === undefined ? "" : `${this.#set} -> `;
    const why = reason ?? `it begins, from ${this.bounds.min} to ${this.bounds.max}`;
    const detail = `${before}${state.limit} tasks at a time: ${why}`;
    noteEvent(run, { action: "throttled", jobs: queuedJobs(tasks), detail, now });
    this.#state = state;
    this.#set = state.limit;
    return { kind: "changed", limit: state.limit, reason: why, ...facts };
  }

  /** Begins with the limit that the arrays have, where squeue tells it. */
  #begin(tasks: readonly QueuedTasks[]): void {
    if (this.#set !== undefined) return;
    const limits = new Map(
      tasks.flatMap(({ jobId, limit }) => (limit === null ? [] : [[jobId, limit] as const])),
    );
    const sum = [...limits.values()].reduce((all, one) => all + one, 0);
    if (sum > 0) this.#state = beginLimit(sum, this.bounds);
  }

  async #limit(arrays: readonly string[], limit: number): Promise<string | undefined> {
    const shares = sharesOf(limit, arrays.length);
    for (const [i, jobId] of arrays.entries()) {
      const refused = await limitArray(jobId, shares[i] ?? 1);
      if (refused !== undefined) return `job ${jobId}: ${refused}`;
    }
    return undefined;
  }

  /** What the heartbeats of the running tasks say beyond what they said at the look before. */
  #look(jobs: readonly RunJob[], tasks: readonly QueuedTasks[]): LimitLook {
    const { run, meta } = this.#steered;
    const byId = new Map(jobs.map((job) => [job.jobId, job]));
    const running = tasks.filter(({ state }) => state === "RUNNING");
    const shards = running.flatMap(({ jobId, taskIds }) => {
      const job = byId.get(jobId);
      return job ? shardsOf(job, taskIds, meta.num_shards) : [];
    });
    const runs = new Set(shards);
    const look: LimitLook = {
      ...{ refused: 0, taken: 0, moved: false, lowered: 0, running: countTasks(running) },
      waiting: countTasks(tasks.filter((one) => isWaiting(one) && !isHeld(one))),
    };
    // Those that ran at the look before may have ended since, with more to tell.
    const before = this.#seen;
    this.#seen = new Map();
    for (const shard of new Set([...before.keys(), ...shards])) {
      const file = readProgress(shardLayout(run, shard).progress);
      if (file.kind !== "value") continue;
      const told = toldSince(before.get(shard), file.value);
      look.refused += told.refused;
      look.taken += told.taken;
      const last = before.get(shard);
      look.moved ||= told.taken > 0 || (last !== undefined && bytesOf(file.value) !== bytesOf(last));
      if (!runs.has(shard)) continue;
      // Of several shards of a task, the one at work is rewritten all the time.
      const isAtWork = before.get(shard)?.updated_at !== file.value.updated_at;
      if (isAtWork && file.value.transfers !== null) look.lowered++;
      this.#seen.set(shard, file.value);
    }
    return look;
  }
}

const bytesOf = (seen: Seen): number => seen.bytes_done + seen.bytes_in_flight;

/**
 * What a shard's .progress says beyond an earlier one:
 *
 * | seen before | counts |
 * |---|---|
 * | the same attempt | what came since |
 * | another attempt | its refusals, and what was proven since |
 * | nothing, and it is the first attempt | all that it copied and all refusals |
 * | nothing, and it is a later one | its refusals: what it has proven may be old |
 */
export function toldSince(
  before: Pick<Seen, "attempt" | "throttled" | "objects_done"> | undefined,
  now: Pick<ProgressState, "attempt" | "throttled" | "objects_done" | "objects_unchanged">,
): { refused: number; taken: number } {
  const copied = now.attempt === 1 ? now.objects_done - now.objects_unchanged : 0;
  const taken = Math.max(0, before ? now.objects_done - before.objects_done : copied);
  const refused = Math.max(0, now.throttled - (before?.attempt === now.attempt ? before.throttled : 0));
  return { refused, taken };
}
