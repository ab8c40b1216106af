import { keyText, type RecordBatch, recordOfRow } from "../manifest/batch.ts";
import { duplicateKeyError } from "../manifest/distinct-keys.ts";
import { hasBackslash, KeyHash } from "../manifest/key-hash.ts";
import { forEachBatch } from "../manifest/read.ts";
import type { ManifestRecord } from "../manifest/record.ts";
import type { AtomicFile } from "../system/durable.ts";
import { errnoOf, invalidInput } from "../system/errors.ts";
import { sha256OfFile } from "../system/file-digest.ts";

/**
 * The objects of one shard by their index in it. Keys are not held in memory but found by a 64-bit hash, so that 10^6
 * records take some 30 MB; keys whose hashes collide are held as they are, so that none is taken for another.
 */
export class ShardRecords {
  readonly path: string;
  readonly count: number;
  bytes = 0;
  largestBytes = 0;
  /** The roots of all records; undefined when there is none. */
  roots: Pick<ManifestRecord, "source_root" | "dest_root"> | undefined;
  readonly #sizes: Float64Array;
  /** Two words for each record. */
  readonly #hashes: Uint32Array;
  /** Open addressing: the index plus one in a slot, 0 for a free one. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  /** The indices of keys whose hash another key of the shard has too. */
  readonly #shared = new Map<string, number>();
  readonly #sharedHashes = new Set<string>();
  readonly #hash = new KeyHash();

  private constructor(path: string, count: number) {
    this.path = path;
    this.count = count;
    this.#sizes = new Float64Array(count);
    this.#hashes = new Uint32Array(2 * count);
    let slots = 8;
    while (slots < count * 1.5) slots *= 2;
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
  }

  /**
   * Reads the `count` records of a shard file. Throws invalid input for a bad line, for another number of records, and for
   * a key that is there twice: a line of rclone's log could not tell which of the two it proves.
   */
  static async read(path: string, count: number): Promise<ShardRecords> {
    const records = new ShardRecords(path, count);
    let index = 0;
    records.roots = await forEachBatch(path, (batch) => {
      for (let row = 0; row < batch.count; row++, index++) {
        if (index >= count) continue;
        records.#hash.ofRow(batch, row);
        records.#add(batch.size[row] ?? 0, index);
      }
    });
    if (index !== count)
      throw invalidInput(`${path}: has ${index} records, not ${count}: shard the manifest again`);
    if (records.#sharedHashes.size > 0) await records.#readShared();
    return records;
  }

  /** Reads the keys whose hashes are equal: two keys, or one that is there twice. */
  async #readShared(): Promise<void> {
    await this.eachWhere(
      () => true,
      ({ key, index }) => {
        if (!this.#sharedHashes.has(this.#hash.ofKey(key).text)) return;
        const text = key.toWellFormed();
        const earlier = this.#shared.get(text);
        if (earlier !== undefined) {
          throw duplicateKeyError(this.path, { key: text, line: earlier + 1, again: index + 1 });
        }
        this.#shared.set(text, index);
      },
    );
  }

  /** Adds the record whose key was hashed last. */
  #add(size: number, index: number): void {
    this.#sizes[index] = size;
    this.bytes += size;
    this.largestBytes = Math.max(this.largestBytes, size);
    this.#hashes[2 * index] = this.#hash.low;
    this.#hashes[2 * index + 1] = this.#hash.high;
    const slot = this.#slot();
    if (this.#slots[slot] === 0) this.#slots[slot] = index + 1;
    else this.#sharedHashes.add(this.#hash.text);
  }

  /** The slot of the hash that was made last, or the free one where it would go. */
  #slot(): number {
    const { low, high } = this.#hash;
    let slot = low & this.#mask;
    for (;;) {
      const held = this.#slots[slot] ?? 0;
      if (held === 0 || (this.#hashes[2 * held - 2] === low && this.#hashes[2 * held - 1] === high))
        return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  sizeOf(index: number): number {
    return this.#sizes[index] ?? 0;
  }

  /** The index of a key, or -1 when the shard does not hold it. */
  indexOf(key: string): number {
    this.#hash.ofKey(key);
    if (this.#sharedHashes.size > 0 && this.#sharedHashes.has(this.#hash.text))
      return this.#shared.get(key.toWellFormed()) ?? -1;
    return (this.#slots[this.#slot()] ?? 0) - 1;
  }

  /** Writes the keys for which `wanted` says so, a line each, in order, and says how many and how large they are. */
  async writeKeys(
    file: AtomicFile,
    wanted: (index: number) => boolean,
  ): Promise<{ objects: number; bytes: number }> {
    const written = { objects: 0, bytes: 0 };
    let index = 0;
    await forEachBatch(this.path, (batch) => {
      for (let row = 0; row < batch.count; row++, index++) {
        if (!wanted(index)) continue;
        const from = batch.keyStart[row] as number;
        const to = batch.keyEnd[row] as number;
        // A key with an escape is not the bytes that stand there.
        if (from === -1 || hasBackslash(batch.bytes, from, to)) file.writeText(keyText(batch, row));
        else file.writePart(batch.bytes, from, to);
        file.writeText("\n");
        written.objects++;
        written.bytes += this.sizeOf(index);
      }
    });
    return written;
  }

  /** Calls `each` with the key and, when it asks, the MD5 of every record for which `wanted` says so, in order, from the file. */
  async eachWhere(wanted: (index: number) => boolean, each: (record: WantedRecord) => void): Promise<void> {
    let index = 0;
    await forEachBatch(this.path, (batch) => {
      for (let row = 0; row < batch.count; row++, index++) {
        if (!wanted(index)) continue;
        each(wantedRecord(batch, row, index));
      }
    });
  }

  /** Calls `each` with some thousand at a time of the records for which `wanted` says so, in order, and waits for it. */
  async inBatches(
    wanted: (index: number) => boolean,
    each: (records: readonly { index: number; key: string }[]) => Promise<void>,
  ): Promise<void> {
    let index = 0;
    await forEachBatch(this.path, async (batch) => {
      let records: { index: number; key: string }[] = [];
      for (let row = 0; row < batch.count; row++, index++) {
        if (!wanted(index)) continue;
        records.push({ index, key: keyText(batch, row) });
        if (records.length < batchMax) continue;
        await each(records);
        records = [];
      }
      if (records.length > 0) await each(records);
    });
  }
}

/** The most records that `inBatches` gives at a time. */
const batchMax = 4096;

/** A record that `eachWhere` gives. */
interface WantedRecord {
  index: number;
  key: string;
  md5: () => string | undefined;
}

/** Apart from the loop over the rows, which would otherwise make a scope for the closure in each turn. */
function wantedRecord(batch: RecordBatch, row: number, index: number): WantedRecord {
  return { index, key: keyText(batch, row), md5: () => recordOfRow(batch, row).hashes?.md5 };
}

/** Throws invalid input when a shard file is not the one that shards.meta.json describes. */
export async function checkShardDigest(path: string, sha256: string): Promise<void> {
  const found = await sha256OfFile(path).catch((error: unknown) => {
    if (errnoOf(error) !== "ENOENT") throw error;
    throw invalidInput(`${path}: no such shard: shard the manifest again`, { cause: error });
  });
  if (found !== sha256) {
    throw invalidInput(
      `${path}: does not match its digest in shards.meta.json (${found.slice(0, 12)}..., recorded ${sha256.slice(0, 12)}...): ` +
        "shard the manifest again",
    );
  }
}
