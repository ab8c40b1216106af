import { keyText, type RecordBatch, recordOfRow } from "../lib/manifest/batch.ts";
import { finishHash } from "../lib/manifest/distinct.ts";
import { forEachBatch } from "../lib/manifest/read.ts";
import type { AtomicFile } from "../lib/system/durable.ts";
import { errnoOf, invalidInput } from "../lib/system/errors.ts";
import { sha256OfFile } from "../lib/system/file-digest.ts";

const backslash = 0x5c;
/** The longest key of S3 is 1,024 bytes; longer ones are hashed in a buffer of their own. */
const scratchBytes = 4096;
const encoder = new TextEncoder();

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
  /** Two words for each record. */
  readonly #hashes: Uint32Array;
  /** Open addressing: the place plus one in a slot, 0 for a free one. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  /** Every place of a key that shares its hash with another record: the same key twice, or a collision. */
  readonly #shared = new Map<string, number[]>();
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

  /** Reads the `count` records of a shard file. Throws invalid input for a bad line, or another number of records. */
  static async read(path: string, count: number): Promise<ShardRecords> {
    const records = new ShardRecords(path, count);
    let place = 0;
    await forEachBatch(path, (batch) => {
      for (let row = 0; row < batch.count; row++, place++) {
        if (place >= count) continue;
        records.#hash.ofRow(batch, row);
        records.#add(batch.size[row] ?? 0, place);
      }
    });
    if (place !== count)
      throw invalidInput(`${path}: has ${place} records, not ${count}: shard the manifest again`);
    if (records.#sharedHashes.size > 0) {
      await records.eachWhere(
        () => true,
        ({ key, place: at }) => {
          if (!records.#sharedHashes.has(records.#hash.ofKey(key).text)) return;
          records.#shared.set(key, [...(records.#shared.get(key) ?? []), at]);
        },
      );
    }
    return records;
  }

  /** Adds the record whose key was hashed last. */
  #add(size: number, place: number): void {
    this.#sizes[place] = size;
    this.bytes += size;
    this.largestBytes = Math.max(this.largestBytes, size);
    this.#hashes[2 * place] = this.#hash.low;
    this.#hashes[2 * place + 1] = this.#hash.high;
    const slot = this.#slot();
    if (this.#slots[slot] === 0) this.#slots[slot] = place + 1;
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

  sizeOf(place: number): number {
    return this.#sizes[place] ?? 0;
  }

  /** The places of a key: more than one when the shard holds it more than once, none when it does not hold it. */
  placesOf(key: string): readonly number[] {
    this.#hash.ofKey(key);
    if (this.#sharedHashes.size > 0 && this.#sharedHashes.has(this.#hash.text))
      return this.#shared.get(key) ?? [];
    const held = this.#slots[this.#slot()] ?? 0;
    return held === 0 ? [] : [held - 1];
  }

  /** Writes the keys for which `wanted` says so, a line each, in order, and says how many and how large they are. */
  async writeKeys(
    file: AtomicFile,
    wanted: (place: number) => boolean,
  ): Promise<{ objects: number; bytes: number }> {
    const written = { objects: 0, bytes: 0 };
    let place = 0;
    await forEachBatch(this.path, (batch) => {
      for (let row = 0; row < batch.count; row++, place++) {
        if (!wanted(place)) continue;
        const from = batch.keyStart[row] as number;
        const to = batch.keyEnd[row] as number;
        // A key with an escape is not the bytes that stand there.
        if (from === -1 || hasBackslash(batch.bytes, from, to)) file.writeText(keyText(batch, row));
        else file.writePart(batch.bytes, from, to);
        file.writeText("\n");
        written.objects++;
        written.bytes += this.sizeOf(place);
      }
    });
    return written;
  }

  /** Calls `each` with the key and, when it asks, the MD5 of every record for which `wanted` says so, in order, from the file. */
  async eachWhere(wanted: (place: number) => boolean, each: (record: WantedRecord) => void): Promise<void> {
    let place = 0;
    await forEachBatch(this.path, (batch) => {
      for (let row = 0; row < batch.count; row++, place++) {
        if (!wanted(place)) continue;
        each(wantedRecord(batch, row, place));
      }
    });
  }

  /** Calls `each` with some thousand at a time of the records for which `wanted` says so, in order, and waits for it. */
  async inBatches(
    wanted: (place: number) => boolean,
    each: (records: readonly { place: number; key: string }[]) => Promise<void>,
  ): Promise<void> {
    let place = 0;
    await forEachBatch(this.path, async (batch) => {
      let records: { place: number; key: string }[] = [];
      for (let row = 0; row < batch.count; row++, place++) {
        if (!wanted(place)) continue;
        records.push({ place, key: keyText(batch, row) });
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

function hasBackslash(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (bytes[at] === backslash) return true;
  }
  return false;
}

/** A record that `eachWhere` gives. */
interface WantedRecord {
  place: number;
  key: string;
  md5: () => string | undefined;
}

/** Apart from the loop over the rows, which would otherwise make a scope for the closure in each turn. */
function wantedRecord(batch: RecordBatch, row: number, place: number): WantedRecord {
  return { place, key: keyText(batch, row), md5: () => recordOfRow(batch, row).hashes?.md5 };
}

/** A 64-bit hash of a key's UTF-8, in two words: FNV-1a twice, with the finish of MurmurHash3. It allocates nothing. */
class KeyHash {
  low = 0;
  high = 0;
  readonly #scratch = new Uint8Array(scratchBytes);

  get text(): string {
    return `${this.low}:${this.high}`;
  }

  ofKey(key: string): this {
    const isShort = key.length * 3 <= scratchBytes;
    const bytes = isShort ? this.#scratch : encoder.encode(key);
    this.#ofBytes(bytes, 0, isShort ? encoder.encodeInto(key, bytes).written : bytes.length);
    return this;
  }

  ofRow(batch: RecordBatch, row: number): void {
    const start = batch.keyStart[row] as number;
    // A key with an escape is not the bytes that stand there.
    if (start === -1 || !this.#ofBytes(batch.bytes, start, batch.keyEnd[row] as number))
      this.ofKey(keyText(batch, row));
  }

  /** False when there is a backslash among the bytes. */
  #ofBytes(bytes: Uint8Array, from: number, to: number): boolean {
    let low = 0x811c9dc5;
    let high = 0x2f6b1a3d;
    let plain = true;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] as number;
      if (byte === backslash) plain = false;
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(high ^ byte, 0x85ebca6b);
    }
    this.low = finishHash(low);
    this.high = finishHash(high);
    return plain;
  }
}

/** Throws invalid input when a shard file is not the one that shards.meta.json describes. */
export async function checkShardDigest(path: string, sha256: string): Promise<void> {
  const found = await sha256OfFile(path).catch((error: unknown) => {
    if (errnoOf(error) !== "ENOENT") throw error;
    throw invalidInput(`${path}: no such shard: shard the manifest again`);
  });
  if (found !== sha256) {
    throw invalidInput(
      `${path}: does not match its digest in shards.meta.json (${found.slice(0, 12)}..., recorded ${sha256.slice(0, 12)}...): ` +
        "shard the manifest again",
    );
  }
}
