import { createHash } from "node:crypto";
import { keyText, recordOfRow } from "../lib/manifest/batch.ts";
import { forEachBatch } from "../lib/manifest/read.ts";
import { errnoOf, invalidInput } from "../lib/system/errors.ts";
import { fileChunks } from "../lib/system/lines.ts";

/**
 * The objects of one shard by their place in it. Keys are not held in memory but found by a 64-bit hash, so that 10^6
 * records take some 30 MB; keys whose hashes collide are held as they are, so that none is taken for another.
 */
export class ShardRecords {
  readonly path: string;
  readonly count: number;
  bytes = 0;
  largestBytes = 0;
  readonly #sizes: Float64Array;
  readonly #hashes: BigUint64Array;
  /** Open addressing: the place plus one in a slot, 0 for a free one. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  /** Every place of a key that shares its hash with another record: the same key twice, or a collision. */
  readonly #shared = new Map<string, number[]>();
  readonly #sharedHashes = new Set<bigint>();

  private constructor(path: string, count: number) {
    this.path = path;
    this.count = count;
    this.#sizes = new Float64Array(count);
    this.#hashes = new BigUint64Array(count);
    let slots = 8;
    while (slots < count * 1.5) slots *= 2;
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
  }

  /** Reads the `count` records of a shard file. Throws invalid input for a bad line, or another number of records. */
  static async read(path: string, count: number): Promise<ShardRecords> {
    const records = new ShardRecords(path, count);
    let place = 0;
    await forEachBatch(path, (batch) => {
      for (let row = 0; row < batch.count; row++, place++) {
        if (place < count) records.#add(keyText(batch, row), batch.size[row] ?? 0, place);
      }
    });
    if (place !== count)
      throw invalidInput(`${path}: has ${place} records, not ${count}: shard the manifest again`);
    if (records.#sharedHashes.size > 0) {
      await records.eachWhere(
        () => true,
        ({ key, place: at }) => {
          if (!records.#sharedHashes.has(hashOf(key))) return;
          records.#shared.set(key, [...(records.#shared.get(key) ?? []), at]);
        },
      );
    }
    return records;
  }

  #add(key: string, size: number, place: number): void {
    this.#sizes[place] = size;
    this.bytes += size;
    this.largestBytes = Math.max(this.largestBytes, size);
    const hash = hashOf(key);
    this.#hashes[place] = hash;
    const slot = this.#slotOf(hash);
    if (this.#slots[slot] === 0) this.#slots[slot] = place + 1;
    else this.#sharedHashes.add(hash);
  }

  #slotOf(hash: bigint): number {
    let slot = Number(hash & 0xffffffffn) & this.#mask;
    for (;;) {
      const held = this.#slots[slot] ?? 0;
      if (held === 0 || this.#hashes[held - 1] === hash) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  sizeOf(place: number): number {
    return this.#sizes[place] ?? 0;
  }

  /** The places of a key: more than one when the shard holds it more than once, none when it does not hold it. */
  placesOf(key: string): readonly number[] {
    const hash = hashOf(key);
    if (this.#sharedHashes.has(hash)) return this.#shared.get(key) ?? [];
    const held = this.#slots[this.#slotOf(hash)] ?? 0;
    return held === 0 ? [] : [held - 1];
  }

  /** Calls `each` with the key and, when it asks, the MD5 of every record for which `wanted` says so, in order, from the file. */
  async eachWhere(
    wanted: (place: number) => boolean,
    each: (record: { place: number; key: string; md5: () => string | undefined }) => void,
  ): Promise<void> {
    let place = 0;
    await forEachBatch(this.path, (batch) => {
      for (let row = 0; row < batch.count; row++, place++) {
        if (!wanted(place)) continue;
        each({ place, key: keyText(batch, row), md5: () => recordOfRow(batch, row).hashes?.md5 });
      }
    });
  }
}

function hashOf(key: string): bigint {
  return Bun.hash.xxHash64(key);
}

/** Throws invalid input when a shard file is not the one that shards.meta.json describes. */
export async function checkShardDigest(path: string, sha256: string): Promise<void> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of fileChunks(path)) hash.update(chunk);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    throw invalidInput(`${path}: no such shard: shard the manifest again`);
  }
  const found = hash.digest("hex");
  if (found !== sha256) {
    throw invalidInput(
      `${path}: does not match its digest in shards.meta.json (${found.slice(0, 12)}..., recorded ${sha256.slice(0, 12)}...): ` +
        "shard the manifest again",
    );
  }
}
