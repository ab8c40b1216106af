import type { ListingEntry } from "../listing/entry.ts";
import { Column, KeyTable } from "../manifest/key-table.ts";
import { isMd5, type ManifestRecord } from "../manifest/record.ts";

/** The relations of a record to a listing, from the worst to the best. The first row of the table that holds is the record's. */
const relations = ["missing", "size-differs", "hash-differs", "size-equal", "hash-equal"] as const;

/**
 * | relation | the listing has the key | sizes | MD5 hashes |
 * |---|---|---|---|
 * | missing | no | | |
 * | size-differs | yes | differ | |
 * | hash-differs | yes | equal | both known, differ |
 * | size-equal | yes | equal | one is not known, or they were not asked for |
 * | hash-equal | yes | equal | both known, equal |
 */
export type Relation = (typeof relations)[number];

/** Whether the listed object is older than the record, to the second. Unknown when one of the times is missing. */
export type Age = "older" | "not-older" | "unknown";

/** The outcome of a comparison for one record. */
export interface Outcome {
  relation: Relation;
  age: Age;
}

/** What to compare beside presence and size. Each wish costs memory for every record. */
export interface CompareWish {
  hashes: boolean;
  times: boolean;
}

const relationBits = 7;
const olderBit = 8;
const untimedBit = 16;
const otherTimeBit = 32;
/** Times that are closer than this count as equal: some file systems keep times to two seconds. */
export const sameTimeSeconds = 2;
const hashWords = 4;
/** After this many records or entries, each of which leaves about 1 kB of garbage, the collector is called. */
const tidyEvery = 1 << 16;

/**
 * Joins a manifest with a listing that should hold the same keys, in any order: first add all records, then all listed
 * entries, then ask for the outcomes. Memory depends on the manifest alone. A record takes 16 bytes of digest, 9 of size and
 * outcome and 5 to 16 of slots, 16 more with hashes, and 8 more with times.
 */
export class ManifestComparison {
  readonly #wish: CompareWish;
  readonly #keys = new KeyTable();
  readonly #sizes = new Column((length) => new Float64Array(length));
  readonly #hashes = new Column((length) => new Uint32Array(length), hashWords);
  readonly #hashed = new Column((length) => new Uint8Array(length));
  readonly #times = new Column((length) => new Float64Array(length));
  readonly #outcomes = new Column((length) => new Uint8Array(length));
  #extra = 0;
  #sinceTidy = 0;

  constructor(wish: CompareWish) {
    this.#wish = wish;
  }

  get records(): number {
    return this.#keys.size;
  }

  /** How many listed entries have a key that the manifest does not have. */
  get extra(): number {
    return this.#extra;
  }

  /** Adds the next record. Returns the index of an earlier record with the same key; undefined when there is none. */
  addRecord(record: Pick<ManifestRecord, "path" | "size" | "mtime" | "hashes">): number | undefined {
    const earlier = this.addSized(record.path, record.size);
    if (earlier !== undefined) return earlier;
    const index = this.#keys.size - 1;
    const md5 = record.hashes?.md5;
    if (this.#wish.hashes && isMd5(md5)) {
      this.#hashed.set(index, 1);
      for (let word = 0; word < hashWords; word++) this.#hashes.set(index, md5Word(md5, word), word);
    }
    if (this.#wish.times) this.#times.set(index, secondOf(record.mtime));
    return undefined;
  }

  /** As addRecord, for a record whose hash and time are not known or not wanted. */
  addSized(path: string, size: number): number | undefined {
    this.#tidy();
    const index = this.#keys.add(path);
    if (index < 0) return -1 - index;
    this.#sizes.set(index, size);
    if (this.#wish.times) this.#times.set(index, Number.NaN);
    return undefined;
  }

  /** Notes a listed entry; false when its key is not in the manifest. If a key is listed twice, its worse outcome stays. */
  addListed(entry: Pick<ListingEntry, "Path" | "Size" | "ModTime" | "Hashes">): boolean {
    this.#tidy();
    const index = this.#keys.find(entry.Path);
    if (index < 0) {
      this.#extra++;
      return false;
    }
    const relation = relations.indexOf(this.#relationOf(index, entry));
    const before = this.#outcomes.get(index);
    const stays = (before & relationBits) === 0 ? relation : Math.min(relation, before & relationBits);
    this.#outcomes.set(index, stays | (before & ~relationBits) | this.#ageBits(index, entry));
    return true;
  }

  /** The outcome of the record with this index, in the order of the manifest from 0. */
  outcome(index: number): Outcome {
    this.#tidy();
    const bits = this.#outcomes.get(index);
    const untimed = !this.#wish.times || (bits & untimedBit) !== 0 || (bits & relationBits) === 0;
    return {
      relation: relations[bits & relationBits] ?? "missing",
      age: (bits & olderBit) !== 0 ? "older" : untimed ? "unknown" : "not-older",
    };
  }

  /** Whether the listing has the record with this index with a modification time that is clearly another. */
  hasOtherTime(index: number): boolean {
    return (this.#outcomes.get(index) & otherTimeBit) !== 0;
  }

  /**
   * Calls the collector now and then. By itself it lets garbage grow with the living memory, which here includes the columns:
   * to hundreds of MB. The call is quick, since it has nothing to follow in the columns.
   */
  #tidy(): void {
    if (++this.#sinceTidy < tidyEvery) return;
    this.#sinceTidy = 0;
    Bun.gc(true);
  }

  #relationOf(index: number, entry: Pick<ListingEntry, "Size" | "Hashes">): Relation {
    if (entry.Size !== this.#sizes.get(index)) return "size-differs";
    if (!this.#wish.hashes || this.#hashed.get(index) === 0) return "size-equal";
    const md5 = entry.Hashes?.md5;
    if (!isMd5(md5)) return "size-equal";
    for (let word = 0; word < hashWords; word++) {
      if (this.#hashes.get(index, word) !== md5Word(md5, word)) return "hash-differs";
    }
    return "hash-equal";
  }

  #ageBits(index: number, entry: Pick<ListingEntry, "ModTime">): number {
    if (!this.#wish.times) return 0;
    const listed = secondOf(entry.ModTime);
    const recorded = this.#times.get(index);
    if (Number.isNaN(listed) || Number.isNaN(recorded)) return untimedBit;
    const other = Math.abs(listed - recorded) > sameTimeSeconds ? otherTimeBit : 0;
    return (listed < recorded ? olderBit : 0) | other;
  }
}

/** The first, second, third or fourth eight digits of an MD5, as a number. */
function md5Word(hex: string, word: number): number {
  return Number.parseInt(hex.slice(8 * word, 8 * word + 8), 16);
}

/** An RFC 3339 time as whole seconds; NaN when there is none. */
function secondOf(time: string | null | undefined): number {
  return time ? Math.floor(Date.parse(time) / 1000) : Number.NaN;
}
