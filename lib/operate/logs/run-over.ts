import type { RunLayout } from "../../run/layout.ts";
import type { ShardsMeta } from "../../shard/meta.ts";
import { type QueuedTasks, readQueue } from "../../slurm/squeue.ts";
import { readShards } from "../read-shards.ts";
import type { ShardFacts } from "../shard-standing.ts";

/** A run is over when nothing of it has been at work for so long: the local executor waits 30 s at most between two starts. */
const quietMs = 45_000;
const squeueMs = 30_000;

/** What is known of a run whose end is waited for. */
interface RunLife {
  /** The shards that are looked at. */
  shards: readonly ShardFacts[];
  /** Whether anything of the run is at work or in the queue, as far as Slurm says. */
  isAtWork: boolean;
  quietForMs: number;
}

/**
 * Whether there is nothing more to wait for:
 *
 * | the shards | anything at work | over |
 * |---|---|---|
 * | all are done, or have failed for good | | yes |
 * | others | yes, or not known | no |
 * | others | no, for 45 s | yes |
 */
export function isRunOver({ shards, isAtWork, quietForMs }: RunLife): boolean {
  const isSettled = ({ isDone, isBusy, fail }: ShardFacts) => isDone || (!isBusy && fail?.isFinal === true);
  return shards.every(isSettled) || (!isAtWork && quietForMs >= quietMs);
}

/** Looks again and again whether a run, or one shard of it, has ended. Slurm is asked once in 30 s at most. */
export class RunEndWatch {
  readonly #run: RunLayout;
  readonly #meta: ShardsMeta;
  readonly #shard: number | undefined;
  #queue: { atMs: number; tasks: QueuedTasks[] | undefined } | undefined;
  #workedAtMs: number;
  #nextMs = 0;

  constructor(run: RunLayout, meta: ShardsMeta, shard: number | undefined, nowMs: number) {
    this.#run = run;
    this.#meta = meta;
    this.#shard = shard;
    this.#workedAtMs = nowMs;
  }

  async isOver(nowMs: number): Promise<boolean> {
    if (nowMs < this.#nextMs) return false;
    const before = performance.now();
    const facts = await readShards(this.#run, this.#meta, nowMs, async (jobs) => {
      if (!this.#queue || nowMs - this.#queue.atMs >= squeueMs) {
        this.#queue = { atMs: nowMs, tasks: await readQueue(jobs) };
      }
      return this.#queue.tasks;
    });
    // Of a large run on a slow file system this takes a hundredth of the time.
    this.#nextMs = nowMs + Math.max(2_000, 100 * (performance.now() - before));
    const isAtWork = facts.queue === undefined || facts.shards.some(({ isBusy }) => isBusy);
    if (isAtWork) this.#workedAtMs = nowMs;
    const own = this.#shard === undefined ? facts.shards : facts.shards.slice(this.#shard, this.#shard + 1);
    return isRunOver({ shards: own, isAtWork, quietForMs: nowMs - this.#workedAtMs });
  }
}
