import type { Literal, TailShape } from "./line-shape.ts";

/**
 * The comparison of a line's bytes with a shape. Anything unusual is no match, and the line is then parsed. `view` is a view
 * of `bytes`, by which several bytes are looked at in one step. A newline ends every line, and no search goes past it.
 */

const quote = 0x22;
const dot = 0x2e;
const slash = 0x2f;
const backslash = 0x5c;

/** Whether a literal stands at `at`. */
export function isAt(view: DataView, at: number, end: number, literal: Literal): boolean {
  const { doubles } = literal;
  const { length } = literal.bytes;
  if (at + length > end) return false;
  if (length < 8) return isShortAt(view, at, literal);
  let p = at;
  for (let i = 0; i < doubles.length; i++, p += 8) {
    if (view.getFloat64(p, true) !== doubles[i]) return false;
  }
  return view.getFloat64(at + length - 8, true) === literal.lastDouble;
}

function isShortAt(view: DataView, at: number, { bytes }: Literal): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (view.getUint8(at + i) !== bytes[i]) return false;
  }
  return true;
}

/** Whether the same bytes stand at `a` and at `b`. There may be no control characters at `a`: see `Literal`. */
export function sameBytes(bytes: Buffer, view: DataView, a: number, b: number, length: number): boolean {
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    if (view.getFloat64(a + i, true) !== view.getFloat64(b + i, true)) return false;
  }
  for (; i < length; i++) {
    if (bytes[a + i] !== bytes[b + i]) return false;
  }
  return true;
}

/** The end of a line whose tail starts at `from`, or -1 when the tail has another shape. */
export function matchTail(bytes: Buffer, view: DataView, from: number, end: number, tail: TailShape): number {
  const { literals } = tail;
  let at = from;
  for (let i = 0; i < literals.length; i++) {
    const literal = literals[i] as Literal;
    if (i > 0) {
      at = plainStringEnd(bytes, view, at, end);
      if (at === -1) return -1;
    }
    if (!isAt(view, at, end, literal)) return -1;
    at += literal.bytes.length;
  }
  return at;
}

/** The end of a string's content, or -1 when it holds an escape or a character that JSON does not allow. */
function plainStringEnd(bytes: Buffer, view: DataView, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    while (at + 4 <= end && !hasSpecial(view.getInt32(at, true))) at += 4;
    const byte = bytes[at] as number;
    if (byte === quote) return at;
    if (byte < 0x20 || byte === backslash) return -1;
  }
  return -1;
}

/** Whether one of four bytes is a quote, a backslash or a control character. A space or `!` may be mistaken for one. */
function hasSpecial(word: number): boolean {
  const backslashes = word ^ 0x5c5c5c5c;
  const found = ((backslashes - 0x01010101) & ~backslashes) | ((word - 0x23232323) & ~word);
  return (found & 0x80808080) !== 0;
}

/** Whether one of four bytes is a dot. */
function hasDot(word: number): boolean {
  const dots = word ^ 0x2e2e2e2e;
  return ((dots - 0x01010101) & ~dots & 0x80808080) !== 0;
}

/**
 * The end of a key that starts at `from`: its closing quote. -1 when the key is not plainly safe: when it is empty or
 * absolute, or has two dots in a row, a control character, or an escape that could stand for any of these.
 */
export function safeKeyEnd(bytes: Buffer, view: DataView, from: number, end: number): number {
  if (bytes[from] === slash) return -1;
  for (let at = from; at < end; at++) {
    while (at + 4 <= end) {
      const word = view.getInt32(at, true);
      if (hasSpecial(word) || hasDot(word)) break;
      at += 4;
    }
    const byte = bytes[at] as number;
    if (byte > dot && byte !== backslash) continue;
    if (byte === quote) return at === from ? -1 : at;
    if (byte < 0x20) return -1;
    if (byte === dot && bytes[at + 1] === dot) return -1;
    if (byte === backslash) {
      at = safeEscapeEnd(bytes, at);
      if (at === -1) return -1;
    }
  }
  return -1;
}

/** The last byte of an escape; -1 for one that stands for a dot, a slash or a control character, or for anything else. */
function safeEscapeEnd(bytes: Buffer, at: number): number {
  const kind = bytes[at + 1];
  if (kind === quote || kind === backslash) return at + 1;
  if (kind !== 0x75) return -1;
  let code = 0;
  for (let i = at + 2; i < at + 6; i++) {
    const digit = hexDigit(bytes[i] ?? 0);
    if (digit === -1) return -1;
    code = code * 16 + digit;
  }
  return code > 0x2f ? at + 5 : code > 0x1f && code < dot ? at + 5 : -1;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
