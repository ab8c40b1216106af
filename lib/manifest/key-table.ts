/** Entries of one chunk of a column. Columns grow by whole chunks, and nothing is copied. */
const chunkEntries = 1 << 16;
const slotsMin = 1 << 10;
/** How many words of 32 bits are kept of a key's digest. */
const digestWords = 4;

type Numbers = Uint8Array | Uint32Array | Float64Array;

/** A list of numbers, `width` for each entry, that grows without copies. */
export class Column<T extends Numbers> {
  readonly #make: (length: number) => T;
  readonly #width: number;
  readonly #chunks: T[] = [];

  constructor(make: (length: number) => T, width = 1) {
    this.#make = make;
    this.#width = width;
  }

  get(entry: number, word = 0): number {
    return this.#chunks[Math.floor(entry / chunkEntries)]?.[this.#at(entry, word)] ?? 0;
  }

  set(entry: number, value: number, word = 0): void {
    const index = Math.floor(entry / chunkEntries);
    let chunk = this.#chunks[index];
    if (!chunk) {
      chunk = this.#make(chunkEntries * this.#width);
      this.#chunks[index] = chunk;
    }
    chunk[this.#at(entry, word)] = value;
  }

  #at(entry: number, word: number): number {
    return (entry % chunkEntries) * this.#width + word;
  }
}

/**
 * Numbers keys 0, 1, 2, ... in the order in which they are added. A key takes 16 bytes, and 5 to 16 bytes of slots.
 *
 * The table keeps the first 128 bits of a key's SHA-256, not the key. Two different keys are taken for one only if these bits
 * are equal. For 10^9 keys the chance is below 10^-20, and nobody knows how to make two of them on purpose.
 */
export class KeyTable {
  readonly #digests = new Column((length) => new Uint32Array(length), digestWords);
  /** Open addressing with linear probing. A slot holds the number of a key plus 1, or 0. At most 3/4 are full. */
  #slots = new Uint32Array(slotsMin);
  #count = 0;
  readonly #digest = new Uint8Array(32);
  readonly #words = new Uint32Array(this.#digest.buffer, 0, digestWords);

  get size(): number {
    return this.#count;
  }

  /** The number of a key, or -1 when it was not added. */
  find(key: string): number {
    Bun.SHA256.hash(key, this.#digest);
    return (this.#slots[this.#probe()] ?? 0) - 1;
  }

  /** Adds a key and returns its number. For a key that was added before, returns -1 - its number. */
  add(key: string): number {
    Bun.SHA256.hash(key, this.#digest);
    const slot = this.#probe();
    const there = this.#slots[slot] ?? 0;
    if (there > 0) return -there;
    const entry = this.#count++;
    for (let word = 0; word < digestWords; word++) this.#digests.set(entry, this.#words[word] ?? 0, word);
    this.#slots[slot] = this.#count;
    if (this.#count * 4 > this.#slots.length * 3) this.#grow();
    return entry;
  }

  /** The slot of the key whose digest was made last, or the free slot where it would go. */
  #probe(): number {
    const mask = this.#slots.length - 1;
    let slot = (this.#words[0] ?? 0) & mask;
    for (;;) {
      const there = this.#slots[slot] ?? 0;
      if (there === 0 || this.#isDigestOf(there - 1)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isDigestOf(entry: number): boolean {
    for (let word = 0; word < digestWords; word++) {
      if (this.#digests.get(entry, word) !== this.#words[word]) return false;
    }
    return true;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let entry = 0; entry < this.#count; entry++) {
      let slot = this.#digests.get(entry) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
    }
    this.#slots = slots;
  }
}
