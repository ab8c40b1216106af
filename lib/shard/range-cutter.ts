import { runBounds, type ShardPlan } from "./plan.ts";

/** What the records of the runs are, all together. */
interface RunTotals {
  records: number;
  weight: number;
}

/**
 * Cuts the records that are not placed by themselves into one run a shard, by the room of each: a record goes to the
 * shard in whose room its middle lies. It leaves no shard empty while there are records for it, and gives no shard more
 * than `maxObjects`; what a full shard cannot take is spread over those after it.
 */
export class RunCutter {
  readonly #bounds: Float64Array;
  readonly #placed: Int32Array;
  readonly #maxObjects: number;
  /** Shards from here on that have nothing yet, and records that shards from here on can take. */
  readonly #empty: Int32Array;
  readonly #capacity: Float64Array;
  readonly #weight: number;
  /** Objects of no weight count one each, where there are no others. */
  readonly #weightless: boolean;
  #shard = 0;
  #inShard = 0;
  #recordsLeft: number;
  #before = 0;
  #base = 0;
  #scale = 1;

  constructor(plan: ShardPlan, totals: RunTotals, maxObjects: number) {
    const numShards = plan.room.length;
    this.#weightless = totals.weight === 0;
    this.#bounds = runBounds(this.#weightless ? plan.room.map(() => 1) : plan.room);
    this.#weight = this.#weightless ? totals.records : totals.weight;
    this.#placed = plan.placedRecords;
    this.#maxObjects = maxObjects;
    this.#recordsLeft = totals.records;
    this.#empty = new Int32Array(numShards + 1);
    this.#capacity = new Float64Array(numShards + 1);
    for (let shard = numShards - 1; shard >= 0; shard--) {
      const placed = this.#placed[shard] as number;
      this.#empty[shard] = (this.#empty[shard + 1] as number) + (placed === 0 ? 1 : 0);
      this.#capacity[shard] = (this.#capacity[shard + 1] as number) + maxObjects - placed;
    }
    this.#spreadFrom(0);
  }

  /** The shard of the next record of the runs. */
  next(weight: number): number {
    const w = this.#weightless ? 1 : weight;
    const middle = this.#before + w / 2;
    const last = this.#placed.length - 1;
    while (this.#shard < last) {
      const after = this.#shard + 1;
      const placed = this.#placed[this.#shard] as number;
      const isFull = placed + this.#inShard >= this.#maxObjects;
      if (!isFull) {
        const isEmpty = placed + this.#inShard === 0;
        if (isEmpty || (this.#capacity[after] as number) < this.#recordsLeft) break;
        const isNeeded = (this.#empty[after] as number) >= this.#recordsLeft;
        const isBeyond = middle >= this.#base + this.#scale * (this.#bounds[after] as number);
        if (!isNeeded && !isBeyond) break;
      }
      this.#shard = after;
      this.#inShard = 0;
      if (isFull) this.#spreadFrom(after);
    }
    this.#before += w;
    this.#inShard++;
    this.#recordsLeft--;
    return this.#shard;
  }

  /** Spreads what is left over the room of the shards from this one on. */
  #spreadFrom(shard: number): void {
    const from = this.#bounds[shard] as number;
    const room = (this.#bounds[this.#bounds.length - 1] as number) - from;
    this.#scale = room > 0 ? (this.#weight - this.#before) / room : 0;
    this.#base = this.#before - this.#scale * from;
  }
}
