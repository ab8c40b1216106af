import { ScratchFile } from "../system/scratch-file.ts";

const partitions = 256;
/** Words of a partition's buffer in memory; all buffers together take 8 MB. */
const bufferWords = 8 * 1024;
/** The most hashes that are compared at a time, in a table of 32 MB. */
const comparedMax = 2 ** 21;

/** A hash of 64 bits in two words. */
export interface RepeatedHash {
  low: number;
  high: number;
}

const none: RepeatedHash[] = [];

/** How much memory a set of hashes may take. Tests choose less. */
export interface PartitionLimits {
  bufferWords: number;
  comparedMax: number;
}

/**
 * Finds the 64-bit hashes that occur more than once among any number of them, in memory that does not grow with them. The
 * hashes are parted by their first bits and written to a scratch file. Then each part is compared by itself.
 */
export class HashPartitions implements Disposable {
  readonly #scratch: ScratchFile;
  readonly #bufferWords: number;
  readonly #comparedMax: number;
  readonly #buffers: Uint32Array;
  readonly #used = new Uint32Array(partitions);
  readonly #counts = new Float64Array(partitions);
  /** The partition of each full buffer, in the order in which they were written. */
  readonly #written: number[] = [];
  #slots = new Uint32Array(0);
  #free = 0;

  /** The scratch file is made in the folder of the path `beside`. */
  constructor(beside: string, limits: PartitionLimits = { bufferWords, comparedMax }) {
    this.#scratch = new ScratchFile(beside);
    this.#bufferWords = limits.bufferWords;
    this.#comparedMax = limits.comparedMax;
    this.#buffers = new Uint32Array(partitions * limits.bufferWords);
  }

  add(low: number, high: number): void {
    const partition = high >>> 24;
    let used = this.#used[partition] as number;
    if (used === this.#bufferWords) {
      this.#write(partition);
      used = 0;
    }
    const at = partition * this.#bufferWords + used;
    this.#buffers[at] = low;
    this.#buffers[at + 1] = high;
    this.#used[partition] = used + 2;
    this.#counts[partition] = (this.#counts[partition] as number) + 1;
  }

  #write(partition: number): void {
    const words = this.#bufferOf(partition);
    this.#scratch.append(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    this.#written.push(partition);
  }

  #bufferOf(partition: number): Uint32Array {
    const start = partition * this.#bufferWords;
    return this.#buffers.subarray(start, start + this.#bufferWords);
  }

  /** The hashes that were added more than once, some at a time. A hash is given once for each repetition. */
  *repeated(): Generator<readonly RepeatedHash[]> {
    const blocks: number[][] = Array.from({ length: partitions }, () => []);
    this.#written.forEach((partition, block) => {
      blocks[partition]?.push(block);
    });
    const read = new Uint32Array(this.#bufferWords);
    const bytes = new Uint8Array(read.buffer);
    for (let partition = 0; partition < partitions; partition++) {
      const count = this.#counts[partition] as number;
      const rounds = Math.ceil(count / this.#comparedMax);
      for (let round = 0; round < rounds; round++) {
        this.#clear(count / rounds);
        for (const block of blocks[partition] ?? []) {
          this.#scratch.read(bytes, block * bytes.length);
          yield this.#compare(read, read.length, rounds, round);
        }
        yield this.#compare(this.#bufferOf(partition), this.#used[partition] as number, rounds, round);
      }
    }
  }

  /** Empties the table, and makes it large enough for `count` hashes. */
  #clear(count: number): void {
    let slots = 1024;
    while (slots < 2 * count) slots *= 2;
    if (this.#slots.length === 2 * slots) this.#slots.fill(0);
    else this.#slots = new Uint32Array(2 * slots);
    this.#free = slots - 1;
  }

  /** Adds the hashes of one round to the table, and returns those that were in it already. */
  #compare(words: Uint32Array, used: number, rounds: number, round: number): readonly RepeatedHash[] {
    let repeated = none;
    for (let at = 0; at < used; at += 2) {
      const low = words[at] as number;
      const high = words[at + 1] as number;
      if (rounds > 1 && low % rounds !== round) continue;
      if (this.#isNew(low, high)) continue;
      if (repeated === none) repeated = [];
      repeated.push({ low, high });
    }
    return repeated;
  }

  #isNew(low: number, high: number): boolean {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    // A first word of 0 marks a free slot.
    const first = low || 1;
    for (let slot = first & mask; ; slot = (slot + 1) & mask) {
      const at = 2 * slot;
      if (slots[at] === first && slots[at + 1] === high) return false;
      if (slots[at] !== 0) continue;
      if (this.#free-- === 0) throw new Error("hashes of keys are not spread over their bits");
      slots[at] = first;
      slots[at + 1] = high;
      return true;
    }
  }

  [Symbol.dispose](): void {
    this.#scratch[Symbol.dispose]();
  }
}
