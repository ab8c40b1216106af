import { isUtf8 } from "node:buffer";
import { invalidInput } from "../system/errors.ts";
import type { LineBlock } from "../system/line-blocks.ts";
import { isAt, matchTail, safeKeyEnd, sameBytes } from "./line-match.ts";
import { type LineShape, type Literal, shapeOfLine, type TailShape } from "./line-shape.ts";
import { type ManifestRecord, parseRecord } from "./record.ts";

const newline = 0x0a;
/** How many shapes of a line's tail are tried before the line is parsed. */
const tailShapesMax = 8;
/**
 * When this many learned shapes in a row have matched no line, only one line in `barrenLines` is still learned from, since
 * learning a shape costs as much as parsing a line.
 */
const barrenMax = 16;
const barrenLines = 64;
/** Any number of up to fifteen digits is a safe integer. */
const sizeDigitsMax = 15;

/**
 * The records of a block of lines, in columns. Line i with its newline is `lineStart[i]` to `lineStart[i + 1]`. The content
 * of its `path`, as it is escaped there, is `keyStart[i]` to `keyEnd[i]`; both are -1 for a line that was parsed, whose
 * record is in `parsed`. All of it is valid until the next batch.
 */
export interface RecordBatch {
  bytes: Buffer;
  count: number;
  /** The number of the first line, from 1. */
  firstLine: number;
  lineStart: Int32Array;
  size: Float64Array;
  keyStart: Int32Array;
  keyEnd: Int32Array;
  /** The shape of each line; undefined for a line that was parsed. */
  shape: (LineShape | undefined)[];
  parsed: Map<number, ManifestRecord>;
}

/**
 * Reads blocks of manifest lines into batches. A line is first compared, byte for byte, with the shapes of lines that were
 * parsed before; only its key, its size and its strings may differ. Any other line is parsed and checked by the schema. The
 * schema would accept each line that the comparison accepts. Throws invalid input that names the line for a bad record, and
 * for one whose roots are not the first record's.
 */
export class BatchScanner {
  readonly #name: string;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #head: LineShape | undefined;
  #tails: TailShape[] = [];
  #nextTail = 0;
  #first: ManifestRecord | undefined;
  /** How many shapes were learned since a line last matched one. */
  #barren = 0;
  /** The size that #readSize has just read. */
  #size = 0;
  readonly batch: RecordBatch = {
    bytes: Buffer.alloc(0),
    count: 0,
    firstLine: 1,
    lineStart: new Int32Array(0),
    size: new Float64Array(0),
    keyStart: new Int32Array(0),
    keyEnd: new Int32Array(0),
    shape: [],
    parsed: new Map(),
  };

  /** `name` is the input's name in errors. */
  constructor(name: string) {
    this.#name = name;
  }

  /** The first record of the input, once a batch was read. */
  get first(): ManifestRecord | undefined {
    return this.#first;
  }

  /** Reads a block of whole lines. */
  scan(block: LineBlock): RecordBatch {
    const { batch } = this;
    const { bytes, start, end } = block;
    if (batch.bytes !== bytes) this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    batch.bytes = bytes;
    batch.firstLine = block.firstLine;
    batch.parsed.clear();
    const fast = isUtf8(bytes.subarray(start, end));
    let count = 0;
    for (let at = start; at < end; count++) {
      if (count + 1 >= batch.lineStart.length) this.#grow();
      batch.lineStart[count] = at;
      const next = fast ? this.#match(at, end, count) : -1;
      at = next === -1 ? this.#parse(at, end, count) : next;
    }
    batch.lineStart[count] = end;
    batch.count = count;
    if (batch.parsed.size < count) this.#barren = 0;
    return batch;
  }

  /** Compares the line at `at` with the shapes. Returns where the line ends, or -1 for a line that has to be parsed. */
  #match(at: number, end: number, row: number): number {
    const shape = this.#head;
    if (shape === undefined) return -1;
    const { bytes } = this.batch;
    const view = this.#view;
    if (!isAt(view, at, end, shape.head)) return -1;
    const key = at + shape.head.bytes.length;
    const keyEnd = safeKeyEnd(bytes, view, key, end);
    if (keyEnd === -1) return -1;
    const length = keyEnd - key;
    let next = keyEnd;
    if (!isAt(view, next, end, shape.middle)) return -1;
    next += shape.middle.bytes.length;
    if (next + length > end || !sameBytes(bytes, view, key, next, length)) return -1;
    next += length;
    if (!isAt(view, next, end, shape.pathLabel)) return -1;
    next += shape.pathLabel.bytes.length;
    const path = next;
    if (next + length > end || !sameBytes(bytes, view, key, next, length)) return -1;
    next += length;
    if (!isAt(view, next, end, shape.sizeLabel)) return -1;
    next = this.#readSize(next + shape.sizeLabel.bytes.length, end);
    if (next === -1) return -1;
    const lineEnd = this.#matchTail(next, end);
    if (lineEnd === -1) return -1;
    const { batch } = this;
    batch.size[row] = this.#size;
    batch.keyStart[row] = path;
    batch.keyEnd[row] = path + length;
    batch.shape[row] = shape;
    return lineEnd;
  }

  #readSize(from: number, end: number): number {
    const { bytes } = this.batch;
    let value = 0;
    let at = from;
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const digits = at - from;
    if (digits === 0 || digits > sizeDigitsMax || (digits > 1 && bytes[from] === 0x30)) return -1;
    this.#size = value;
    return at;
  }

  #matchTail(from: number, end: number): number {
    const tails = this.#tails;
    for (let i = 0; i < tails.length; i++) {
      const at = matchTail(this.batch.bytes, this.#view, from, end, tails[i] as TailShape);
      if (at !== -1) return at;
    }
    return -1;
  }

  /** Parses the line at `at`, and learns its shape. Throws for a bad line. */
  #parse(at: number, end: number, row: number): number {
    const { batch } = this;
    const lineEnd = batch.bytes.indexOf(newline, at);
    const line = batch.bytes.subarray(at, lineEnd);
    const where = `${this.#name}:${batch.firstLine + row}`;
    const record = parseRecord(line, where);
    this.#first ??= record;
    if (record.source_root !== this.#first.source_root || record.dest_root !== this.#first.dest_root) {
      throw invalidInput(`${where}: the record has other roots than line 1: one manifest is one transfer`);
    }
    batch.size[row] = record.size;
    batch.keyStart[row] = -1;
    batch.keyEnd[row] = -1;
    batch.shape[row] = undefined;
    batch.parsed.set(row, record);
    if (this.#barren < barrenMax || (batch.firstLine + row) % barrenLines === 0) {
      const shape = shapeOfLine(batch.bytes.subarray(at, Math.min(lineEnd + 1, end)));
      if (shape) this.#learn(shape);
      this.#barren++;
    }
    return lineEnd + 1;
  }

  #learn(shape: LineShape): void {
    const old = this.#head;
    const sameStart =
      old !== undefined &&
      sameLiteral(old.head, shape.head) &&
      sameLiteral(old.middle, shape.middle) &&
      sameLiteral(old.pathLabel, shape.pathLabel) &&
      sameLiteral(old.sizeLabel, shape.sizeLabel);
    if (!sameStart) {
      this.#head = shape;
      this.#tails = [];
    }
    if (this.#tails.length < tailShapesMax) this.#tails.push(shape.tail);
    else this.#tails[this.#nextTail++ % tailShapesMax] = shape.tail;
  }

  #grow(): void {
    const { batch } = this;
    const rows = Math.max(4096, batch.lineStart.length * 2);
    const larger = <T extends Int32Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    batch.lineStart = larger(batch.lineStart, new Int32Array(rows));
    batch.size = larger(batch.size, new Float64Array(rows));
    batch.keyStart = larger(batch.keyStart, new Int32Array(rows));
    batch.keyEnd = larger(batch.keyEnd, new Int32Array(rows));
  }
}

/** The key of a row, decoded. */
export function keyText(batch: RecordBatch, row: number): string {
  const start = batch.keyStart[row] as number;
  if (start === -1) return batch.parsed.get(row)?.path ?? "";
  const text = batch.bytes.toString("utf8", start, batch.keyEnd[row] as number);
  return text.includes("\\") ? JSON.parse(`"${text}"`) : text;
}

/** The line of a row, its newline included. */
export function lineOf(batch: RecordBatch, row: number): Uint8Array {
  return batch.bytes.subarray(batch.lineStart[row] as number, batch.lineStart[row + 1] as number);
}

/** The whole record of a row. */
export function recordOfRow(batch: RecordBatch, row: number): ManifestRecord {
  const start = batch.lineStart[row] as number;
  const end = batch.lineStart[row + 1] as number;
  // A line with the shape of a checked line needs no check of its own.
  return batch.parsed.get(row) ?? JSON.parse(batch.bytes.toString("utf8", start, end));
}

function sameLiteral(a: Literal, b: Literal): boolean {
  return Buffer.compare(a.bytes, b.bytes) === 0;
}
