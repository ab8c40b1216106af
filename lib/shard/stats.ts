import type { RecordBatch } from "../manifest/batch.ts";
import { hashBytes } from "../manifest/key-hash.ts";
import { DistinctCounter } from "./distinct.ts";

const slash = 0x2f;

/** The figures of one shard in shards.meta.json. */
export interface ShardFigures {
  records: number;
  bytes: number;
  weight: number;
  largestBytes: number;
  directories: number;
}

/** Counts the records of each shard, in memory bounded by the number of shards. */
export class ShardStats {
  readonly #records: Float64Array;
  readonly #bytes: Float64Array;
  readonly #weight: Float64Array;
  readonly #largest: Float64Array;
  readonly #directories: DistinctCounter[];
  /** The directory of the row before: its bytes in the batch, and the shard in which it was counted. */
  #dirStart = 0;
  #dirEnd = -1;
  #dirShard = -1;

  constructor(numShards: number) {
    this.#records = new Float64Array(numShards);
    this.#bytes = new Float64Array(numShards);
    this.#weight = new Float64Array(numShards);
    this.#largest = new Float64Array(numShards);
    this.#directories = Array.from({ length: numShards }, () => new DistinctCounter());
  }

  /** Call this before the rows of a batch are added: bytes of the batch before are gone. */
  startBatch(): void {
    this.#dirShard = -1;
  }

  add(shard: number, batch: RecordBatch, row: number, weight: number): void {
    const size = batch.size[row] as number;
    this.#records[shard] = (this.#records[shard] as number) + 1;
    this.#bytes[shard] = (this.#bytes[shard] as number) + size;
    this.#weight[shard] = (this.#weight[shard] as number) + weight;
    if (size > (this.#largest[shard] as number)) this.#largest[shard] = size;
    this.#addDirectory(shard, batch, row);
  }

  #addDirectory(shard: number, batch: RecordBatch, row: number): void {
    const start = batch.keyStart[row] as number;
    if (start === -1) {
      const key = Buffer.from(batch.parsed.get(row)?.path ?? "");
      this.#directories[shard]?.add(hashBytes(key, 0, directoryEnd(key, 0, key.length)));
      this.#dirShard = -1;
      return;
    }
    const { bytes } = batch;
    const end = directoryEnd(bytes, start, batch.keyEnd[row] as number);
    if (shard !== this.#dirShard || !this.#isSameDirectory(bytes, start, end)) {
      this.#directories[shard]?.add(hashBytes(bytes, start, end));
    }
    this.#dirStart = start;
    this.#dirEnd = end;
    this.#dirShard = shard;
  }

  #isSameDirectory(bytes: Buffer, start: number, end: number): boolean {
    const length = end - start;
    if (this.#dirEnd - this.#dirStart !== length) return false;
    // Neighbours differ in their last component: compare from the end.
    for (let i = length - 1; i >= 0; i--) {
      if (bytes[start + i] !== bytes[this.#dirStart + i]) return false;
    }
    return true;
  }

  of(shard: number): ShardFigures {
    return {
      records: this.#records[shard] as number,
      bytes: this.#bytes[shard] as number,
      weight: this.#weight[shard] as number,
      largestBytes: this.#largest[shard] as number,
      directories: (this.#records[shard] as number) === 0 ? 0 : (this.#directories[shard]?.count ?? 0),
    };
  }

  /** How many times the mean the largest shard has, for each measure; 1 where all are empty. */
  spread(): { weight: number; bytes: number; records: number } {
    return { weight: spreadOf(this.#weight), bytes: spreadOf(this.#bytes), records: spreadOf(this.#records) };
  }
}

function directoryEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end - 1;
  while (at >= start && bytes[at] !== slash) at--;
  return Math.max(at, start);
}

function spreadOf(values: Float64Array): number {
  const total = values.reduce((sum, value) => sum + value, 0);
  const most = values.reduce((max, value) => Math.max(max, value), 0);
  return total === 0 ? 1 : (most * values.length) / total;
}
