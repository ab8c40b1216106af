import { keyText, type RecordBatch } from "./batch.ts";

const backslash = 0x5c;
/** The longest key of S3 has 1,024 bytes. A key that does not fit is encoded into a buffer of its own. */
const scratchBytes = 4096;
const encoder = new TextEncoder();
/** Each process has another seed, so that nobody can make keys with equal hashes on purpose. */
const processSeed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;

/** A 32-bit hash of bytes `from` to `to`, equal on all machines: FNV-1a with the finish of MurmurHash3. */
export function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return finishHash(hash);
}

/** Spreads the state of a simple hash over all 32 bits: the finish of MurmurHash3. */
function finishHash(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Whether there is a backslash among bytes `from` to `to`. If there is, the bytes are an escaped form of the key. */
export function hasBackslash(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (bytes[at] === backslash) return true;
  }
  return false;
}

/**
 * The UTF-8 of a key, in a buffer that is used again. rclone is given the key in this form, however it is escaped in JSON.
 * Half a surrogate pair, which has no UTF-8, becomes U+FFFD.
 */
export class KeyBytes {
  bytes = new Uint8Array(scratchBytes);
  view = new DataView(this.bytes.buffer);
  length = 0;

  set(key: string): void {
    if (key.length * 3 > this.bytes.length) this.#grow(key.length * 3);
    this.length = encoder.encodeInto(key, this.bytes).written;
  }

  copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.bytes.length) this.#grow(length);
    for (let i = 0; i < length; i++) this.bytes[i] = from[start + i] as number;
    this.length = length;
  }

  #grow(length: number): void {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }
}

/**
 * A 64-bit hash of a key's UTF-8, in two words. Each word is MurmurHash3 with 32 bits, with constants of its own. The hash
 * differs from process to process. Nothing is allocated for a key without an escape.
 */
export class KeyHash {
  low = 0;
  high = 0;
  readonly #scratch = new KeyBytes();
  #bytes: Uint8Array | undefined;
  #view: DataView = this.#scratch.view;

  get text(): string {
    return `${this.low}:${this.high}`;
  }

  ofKey(key: string): this {
    this.#scratch.set(key);
    this.ofBytes(this.#scratch.view, 0, this.#scratch.length);
    return this;
  }

  ofRow(batch: RecordBatch, row: number): void {
    const start = batch.keyStart[row] as number;
    const { bytes } = batch;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    if (start === -1 || !this.ofBytes(this.#view, start, batch.keyEnd[row] as number)) {
      this.ofKey(keyText(batch, row));
    }
  }

  /** Hashes bytes `from` to `to`. False when there is a backslash among them. */
  ofBytes(view: DataView, from: number, to: number): boolean {
    let low = processSeed;
    let high = processSeed ^ 0x2f6b1a3d;
    let escapes = 0;
    let at = from;
    for (; at + 4 <= to; at += 4) {
      const word = view.getInt32(at, true);
      // Bit 7 of a byte is set where the byte is a backslash, and perhaps in the bytes above that one.
      const backslashes = word ^ 0x5c5c5c5c;
      escapes |= (backslashes - 0x01010101) & ~backslashes;
      low = mixLow(low, word);
      high = mixHigh(high, word);
    }
    let rest = 0;
    for (; at < to; at++) {
      const byte = view.getUint8(at);
      if (byte === backslash) escapes = -1;
      rest = (rest << 8) | byte;
    }
    low = mixLow(low, rest) ^ (to - from);
    high = mixHigh(high, rest) ^ (to - from);
    this.low = finishHash(low);
    this.high = finishHash(high);
    return (escapes & 0x80808080) === 0;
  }
}

function mixLow(hash: number, word: number): number {
  let part = Math.imul(word, 0xcc9e2d51);
  part = Math.imul((part << 15) | (part >>> 17), 0x1b873593);
  const mixed = hash ^ part;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function mixHigh(hash: number, word: number): number {
  let part = Math.imul(word, 0x239b961b);
  part = Math.imul((part << 16) | (part >>> 16), 0xab0e9789);
  const mixed = hash ^ part;
  return (Math.imul((mixed << 19) | (mixed >>> 13), 5) + 0x561ccd1b) | 0;
}
