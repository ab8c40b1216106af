import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../system/errors.ts";
import { type LogEntry, logEntryOf } from "./log-entry.ts";
import type { LogFile } from "./log-files.ts";

const newline = 0x0a;
/** What is longer is cut: no line of a log that is of any use is so long. */
const lineBytesMax = 1024 * 1024;
/** After so many lines that are not wanted the caller gets a turn. */
const linesPerTurn = 20_000;
/** What is looked at for the first time in a file. */
const headBytes = 4 * 1024;

/** An entry in its place in time: that of the entry before it in the file, where it tells none or an earlier one. */
export interface PlacedEntry extends LogEntry {
  atMs: number;
}

/**
 * Reads a log line by line. The file is open only while a chunk is read: there may be thousands. A file that grows can be
 * read on after its end.
 */
export class LogCursor {
  readonly file: LogFile;
  /** No entry of the file is placed before it. */
  readonly firstMs: number;
  readonly #path: string;
  readonly #chunkBytes: number;
  #atMs: number;
  /** What was read and not given yet: `start` to `end` of the buffer. */
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Where the file is read on. */
  #offset = 0;
  /** Whether the rest of a line that was cut is passed over. */
  #skips = false;

  constructor(dir: string, file: LogFile, chunkBytes: number) {
    this.file = file;
    this.#path = join(dir, file.name);
    this.#chunkBytes = chunkBytes;
    const head = Buffer.allocUnsafe(headBytes);
    this.firstMs = firstTimeIn(head.toString("utf8", 0, this.#read(head, 0, headBytes, 0)));
    this.#atMs = this.firstMs;
  }

  /**
   * The next entry that is wanted; undefined at the end of the file, and "later" when many lines were not wanted: ask again.
   * A last line without a newline is given where `takesTorn` says so: a writer may still be at work on it. Lines for which
   * `couldBe` says no are passed over unread.
   */
  next(
    isWanted: (entry: LogEntry) => boolean,
    takesTorn: boolean,
    couldBe: (line: string) => boolean = () => true,
  ): PlacedEntry | "later" | undefined {
    for (let lines = 0; lines < linesPerTurn; lines++) {
      const line = this.#nextLine(takesTorn);
      if (line === undefined) return undefined;
      if (line.trim() === "" || !couldBe(line)) continue;
      const entry = logEntryOf(line, this.file);
      this.#atMs = Math.max(this.#atMs, entry.timeMs ?? this.#atMs);
      if (isWanted(entry)) return { ...entry, atMs: this.#atMs };
    }
    return "later";
  }

  /** How much of the file was read. */
  get position(): number {
    return this.#offset;
  }

  /** Gives back the memory of a file whose end was reached. */
  rest(): void {
    if (this.#start === this.#end) this.#buffer = Buffer.alloc(0);
  }

  #nextLine(takesTorn: boolean): string | undefined {
    let searched = this.#start;
    for (;;) {
      const at = this.#buffer.subarray(0, this.#end).indexOf(newline, searched);
      if (at !== -1) {
        const line = this.#take(at, at + 1);
        if (line !== undefined) return line;
        searched = this.#start;
        continue;
      }
      if (this.#end - this.#start >= lineBytesMax) {
        const line = this.#take(this.#start + lineBytesMax, this.#start + lineBytesMax);
        this.#skips = true;
        if (line !== undefined) return line;
      }
      const seen = this.#end - this.#start;
      if (this.#fill() === 0) {
        if (!takesTorn || this.#start === this.#end) return undefined;
        return this.#take(this.#end, this.#end);
      }
      searched = this.#start + seen;
    }
  }

  /** The text up to `end`; undefined for the rest of a line that was cut. */
  #take(end: number, next: number): string | undefined {
    const line = this.#skips ? undefined : this.#buffer.toString("utf8", this.#start, end);
    this.#skips = false;
    this.#start = next;
    return line;
  }

  #fill(): number {
    const left = this.#end - this.#start;
    if (this.#buffer.length < left + this.#chunkBytes) {
      const larger = Buffer.allocUnsafe(left + this.#chunkBytes);
      this.#buffer.copy(larger, 0, this.#start, this.#end);
      this.#buffer = larger;
    } else this.#buffer.copy(this.#buffer, 0, this.#start, this.#end);
    this.#start = 0;
    this.#end = left;
    const got = this.#read(this.#buffer, left, this.#chunkBytes, this.#offset);
    this.#end += got;
    this.#offset += got;
    return got;
  }

  /** Reads at a place of the file; 0 where it has ended, and where it is gone. */
  #read(buffer: Buffer, at: number, length: number, position: number): number {
    let fd: number;
    try {
      fd = openSync(this.#path, "r");
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return 0;
      throw error;
    }
    try {
      return readSync(fd, buffer, at, length, position);
    } finally {
      closeSync(fd);
    }
  }
}

/** The first time in a text of a log, in milliseconds of the clock; 0 where there is none. */
export function firstTimeIn(text: string): number {
  const [, ofLine] = /(?:^|"time":")(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))/m.exec(text) ?? [];
  const time = ofLine === undefined ? Number.NaN : Date.parse(ofLine);
  return Number.isNaN(time) ? 0 : time;
}
