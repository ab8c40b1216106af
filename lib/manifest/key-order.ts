import { keyText, type RecordBatch } from "./batch.ts";
import { KeyBytes, KeyHash } from "./key-hash.ts";

const slash = 0x2f;
const backslash = 0x5c;
const slotsMin = 1 << 10;
/** The most slots of the table of directories: 24 MB, for 1.5 million directories. */
const slotsMax = 1 << 21;
/** Words of a slot: two of the hash, and the stretch, which is 0 in a free slot. */
const slotWords = 3;

/**
 * Proves from the order of the keys alone that no key is there twice. A stretch is a sequence of records in which each key
 * is above the key before it, by its bytes. No key is twice in one stretch, and equal keys have the same directory. All keys
 * are therefore distinct when there is one stretch (a listing of S3), or when no directory has keys in two stretches (a walk
 * of a file system, a listing in parts). Directories are remembered by a hash. Two directories with one hash only end the
 * proof too early.
 */
export class KeyOrder {
  readonly #hash = new KeyHash();
  #directories: DirectoryTable | undefined = new DirectoryTable();
  #stretch = 1;
  /** The key before, where the batch does not hold it as it is. There are two buffers: the next key is decoded beside it. */
  #last = new KeyBytes();
  #next = new KeyBytes();
  /** The length of the directory of the key before, its slash included; -1 before the first key. */
  #directoryEnd = -1;
  #bytes: Uint8Array | undefined;
  #view: DataView<ArrayBufferLike> = this.#last.view;

  /** Goes on with a batch, and returns for how many of its rows the proof holds. If that is not all of them, the proof is over. */
  prove(batch: RecordBatch): number {
    const { bytes, count, keyStart, keyEnd } = batch;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    let lastView: DataView<ArrayBufferLike> = this.#last.view;
    let lastStart = 0;
    let lastEnd = this.#last.length;
    // A backslash in the line is an escape; one in a decoded key is not.
    let lastIsInLine = false;
    for (let row = 0; row < count; row++) {
      let view = this.#view;
      let start = keyStart[row] as number;
      let end = keyEnd[row] as number;
      let common = 0;
      let directoryEnd = -1;
      if (start !== -1) {
        common = commonLength(lastView, lastStart, lastEnd, view, start, end);
        directoryEnd = directoryEndOf(view, start, lastIsInLine ? start + common : start, end);
      }
      const isInLine = directoryEnd !== -1;
      if (!isInLine) {
        const key = this.#decoded(batch, row);
        view = key.view;
        start = 0;
        end = key.length;
        common = commonLength(lastView, lastStart, lastEnd, view, start, end);
        directoryEnd = lastSlashEnd(view, start, end);
      } else if (directoryEnd === 0 && lastIsInLine) {
        // The directory ends within the beginning that both keys have in common.
        const known = this.#directoryEnd;
        directoryEnd = common >= known ? known : lastSlashEnd(view, start, start + common);
      }
      const isAbove =
        common < end - start &&
        (common === lastEnd - lastStart ||
          view.getUint8(start + common) > lastView.getUint8(lastStart + common));
      if (!isAbove) this.#stretch++;
      const isSameDirectory = directoryEnd === this.#directoryEnd && common >= directoryEnd;
      if (!(isAbove && isSameDirectory) && !this.#enter(view, start, start + directoryEnd)) return row;
      this.#directoryEnd = directoryEnd;
      lastView = view;
      lastStart = start;
      lastEnd = end;
      lastIsInLine = isInLine;
    }
    if (lastIsInLine) this.#last.copy(bytes, lastStart, lastEnd);
    return count;
  }

  /** The key of a row without its escapes. It becomes the last key; the bytes of the key before it stay valid beside it. */
  #decoded(batch: RecordBatch, row: number): KeyBytes {
    const key = this.#next;
    key.set(keyText(batch, row));
    this.#next = this.#last;
    this.#last = key;
    return key;
  }

  /** Notes that this stretch has keys in a directory. False when an earlier stretch has some there, or may have. */
  #enter(view: DataView, start: number, end: number): boolean {
    if (this.#directories) {
      this.#hash.ofBytes(view, start, end);
      const known = this.#directories.stretchOf(this.#hash.low, this.#hash.high, this.#stretch);
      if (known !== undefined) return known === this.#stretch;
      this.#directories = undefined;
    }
    return this.#stretch === 1;
  }
}

/** The last stretch that had keys in a directory, by the directory's hash. */
class DirectoryTable {
  #slots = new Uint32Array(slotWords * slotsMin);
  #mask = slotsMin - 1;
  #count = 0;

  /** The stretch of a directory. A directory without one gets `stretch`. Undefined when the table is full. */
  stretchOf(low: number, high: number, stretch: number): number | undefined {
    let at = this.#find(low, high);
    const known = this.#slots[at + 2] as number;
    if (known !== 0) return known;
    if (4 * (this.#count + 1) > 3 * (this.#mask + 1)) {
      if (this.#mask + 1 === slotsMax) return undefined;
      this.#grow();
      at = this.#find(low, high);
    }
    this.#count++;
    this.#slots[at] = low;
    this.#slots[at + 1] = high;
    this.#slots[at + 2] = stretch;
    return stretch;
  }

  #find(low: number, high: number): number {
    const slots = this.#slots;
    for (let slot = low & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = slotWords * slot;
      if (slots[at + 2] === 0 || (slots[at] === low && slots[at + 1] === high)) return at;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#mask = 2 * (this.#mask + 1) - 1;
    this.#slots = new Uint32Array(slotWords * (this.#mask + 1));
    for (let from = 0; from < old.length; from += slotWords) {
      if (old[from + 2] === 0) continue;
      const at = this.#find(old[from] as number, old[from + 1] as number);
      for (let word = 0; word < slotWords; word++) this.#slots[at + word] = old[from + word] as number;
    }
  }
}

/** How many bytes two ranges of bytes have in common at their beginning. */
function commonLength(
  a: DataView,
  aStart: number,
  aEnd: number,
  b: DataView,
  bStart: number,
  bEnd: number,
): number {
  const most = Math.min(aEnd - aStart, bEnd - bStart);
  let common = 0;
  // Equal numbers are equal bytes, since no key has a byte of 0. NaN equals nothing, and is compared byte by byte.
  while (common + 8 <= most && a.getFloat64(aStart + common, true) === b.getFloat64(bStart + common, true))
    common += 8;
  while (common < most && a.getUint8(aStart + common) === b.getUint8(bStart + common)) common++;
  return common;
}

/**
 * The length of the directory, its slash included, of a key that starts at `start`; 0 when its slash is not in bytes `from`
 * to `end`, and -1 when there is an escape among these.
 */
function directoryEndOf(view: DataView, start: number, from: number, end: number): number {
  let length = 0;
  for (let at = from; at < end; at++) {
    const byte = view.getUint8(at);
    if (byte === slash) length = at + 1 - start;
    else if (byte === backslash) return -1;
  }
  return length;
}

/** The length from `start` to the last slash before `end`, the slash included; 0 when there is none. */
function lastSlashEnd(view: DataView, start: number, end: number): number {
  let at = end;
  while (at > start && view.getUint8(at - 1) !== slash) at--;
  return at - start;
}
