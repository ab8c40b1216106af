import { rangeBounds, type ShardPlan } from "./plan.ts";

/** The records of all ranges together. */
interface RangeTotals {
  records: number;
  weight: number;
}

/**
 * Cuts the records that are not placed by themselves into one range for each shard, by the room of each shard: a record goes
 * to the shard in whose room its middle lies. No shard stays empty while there are records for it, and none gets more than
 * `maxObjects`. Records that a full shard cannot take are spread over the shards after it.
 */
export class RangeCutter {
  readonly #bounds: Float64Array;
  readonly #placed: Int32Array;
  readonly #maxObjects: number;
  /** For each shard: how many from it on have no placed record, and how many records those from it on can take. */
  readonly #empty: Int32Array;
  readonly #capacity: Float64Array;
  readonly #weight: number;
  /** Whether no object has a weight. Each then counts as 1. */
  readonly #weightless: boolean;
  #shard = 0;
  #inShard = 0;
  #recordsLeft: number;
  #before = 0;
  #base = 0;
  #scale = 1;

  constructor(plan: ShardPlan, totals: RangeTotals, maxObjects: number) {
    const numShards = plan.room.length;
    this.#weightless = totals.weight === 0;
    this.#bounds = rangeBounds(this.#weightless ? plan.room.map(() => 1) : plan.room);
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

  /** The shard of the next record that is not placed by itself. */
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

  /** Spreads the weight that is left over the room of the shards from this one on. */
  #spreadFrom(shard: number): void {
    const from = this.#bounds[shard] as number;
    const room = (this.#bounds[this.#bounds.length - 1] as number) - from;
    this.#scale = room > 0 ? (this.#weight - this.#before) / room : 0;
    this.#base = this.#before - this.#scale * from;
  }
}
