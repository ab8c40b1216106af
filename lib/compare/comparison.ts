import type { ListingEntry } from "../listing/entry.ts";
import { Column, KeyTable } from "../manifest/key-table.ts";
import { isMd5, type ManifestRecord } from "../manifest/record.ts";

/** How a manifest's record stands to a listing, from nothing known to most; the first that holds. */
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

/** Whether the listed object is older than the record, to the second; unknown when a time is missing. */
export type Age = "older" | "not-older" | "unknown";

/** What a listing says of one record. */
export interface Outcome {
  relation: Relation;
  age: Age;
}

/** What is compared beside presence and size; each costs memory for every record. */
export interface CompareWish {
  hashes: boolean;
  times: boolean;
}

const relationBits = 7;
const olderBit = 8;
const untimedBit = 16;
const otherTimeBit = 32;
/** Times that are closer than this are one: some file systems keep times to two seconds. */
const sameTimeSeconds = 2;
const hashWords = 4;
/** Records or entries between two collections: each leaves about 1 kB behind. */
const tidyEvery = 1 << 16;

/**
 * Joins a manifest with a listing of what should hold the same keys, in any order: first all records, then all listed
 * entries, then the outcomes. Memory is that of the manifest alone, whatever the listing holds: 16 bytes of digest, 9
 * of size and outcome and 5 to 16 of index a record, 16 more with hashes and 8 more with times.
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

  /** Adds the next record. Returns the index of an earlier one with the same key, or undefined when it is the first. */
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

  /** As addRecord, of a record whose hash and time are not known or not asked for. */
  addSized(path: string, size: number): number | undefined {
    this.#tidy();
    const index = this.#keys.add(path);
    if (index < 0) return -1 - index;
    this.#sizes.set(index, size);
    if (this.#wish.times) this.#times.set(index, Number.NaN);
    return undefined;
  }

  /** Notes a listed entry; false when its key is not in the manifest. Of a key listed twice the worse outcome stays. */
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

  /** What the listing says of the record with this index, in manifest order from 0. */
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
   * The collector lets garbage grow in step with what is alive, the columns included: to hundreds of MB here. Asked now
   * and then it leaves little, and is quick, since there is nothing in the columns for it to walk.
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

/** Eight digits of an MD5, the first, second, third or fourth, as a number. */
function md5Word(hex: string, word: number): number {
  return Number.parseInt(hex.slice(8 * word, 8 * word + 8), 16);
}

/** The second of an RFC 3339 time; NaN when there is none. */
function secondOf(time: string | null | undefined): number {
  return time ? Math.floor(Date.parse(time) / 1000) : Number.NaN;
}
