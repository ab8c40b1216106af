import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { invalidInput, readError } from "./errors.ts";
import { inputName } from "./input.ts";
import { breathe, unlessStopped } from "./interrupt.ts";

const newline = 0x0a;
/** What is read at a time: a size that stays in the processor's cache. */
const blockBytes = 512 * 1024;
/** A line longer than this is no record that any writer makes: reading stops rather than fill the memory. */
const lineBytesMax = 16 * 1024 * 1024;
/** Blocks of a file, and time, between two turns of the event loop, so that signals and timers are served. */
const blocksPerTurn = 16;
const turnMs = 100;

/** Whole lines of a stream: `bytes` from `start` to `end`, each ended by a newline; valid until the callback returns. */
export interface LineBlock {
  bytes: Buffer;
  start: number;
  end: number;
  /** The number of the block's first line, from 1. */
  firstLine: number;
}

/** What has been read so far; `bytesTotal` is 0 where it is not known beforehand. */
export interface ReadProgress {
  bytes: number;
  bytesTotal: number;
}

/** Options of `forEachLineBlock`. */
export interface LineBlockOptions {
  onProgress?: ((progress: ReadProgress) => void) | undefined;
  /** Aborted to end the reading: it then throws the error of a command that was asked to stop. */
  stop?: AbortSignal | undefined;
  /** What is read in place of the file of that name, for an input whose beginning was looked at. */
  input?: BlockInput | undefined;
}

/** How to go on after a reading that was stopped. */
const stopHint = "nothing was written; run the same command again";

/**
 * Reads a file, or standard input for "-", and calls `each` for runs of whole lines, in order; a last line without a
 * newline is given one. `each` returns the number of lines it saw. Memory is one block, or the longest line.
 * Throws ENOENT and the like, and invalid input for what is no file and for a line longer than 16 MiB.
 */
export async function forEachLineBlock(
  path: string,
  each: (block: LineBlock) => number | Promise<number>,
  options: LineBlockOptions = {},
): Promise<void> {
  using opened = options.input ? undefined : openInput(path, options.stop);
  const input = options.input ?? (opened as BlockInput);
  const block: LineBlock = { bytes: Buffer.allocUnsafe(blockBytes), start: 0, end: 0, firstLine: 1 };
  let used = 0;
  let blocks = 0;
  let turnedAt = performance.now();
  const progress: ReadProgress = { bytes: 0, bytesTotal: input.bytesTotal };
  const give = async (end: number) => {
    block.end = end;
    const lines = each(block);
    block.firstLine += typeof lines === "number" ? lines : await lines;
  };
  for (;;) {
    if (used === block.bytes.length) {
      if (used >= lineBytesMax) {
        throw invalidInput(
          `${inputName(path)}:${block.firstLine}: the line is longer than ${lineBytesMax} bytes`,
        );
      }
      const larger = Buffer.allocUnsafe(block.bytes.length * 2);
      block.bytes.copy(larger, 0, 0, used);
      block.bytes = larger;
    }
    const filled = input.fill(block.bytes, used);
    const got = typeof filled === "number" ? filled : await filled;
    if (got === 0) break;
    progress.bytes += got;
    const last = block.bytes.subarray(used, used + got).lastIndexOf(newline);
    const whole = last === -1 ? 0 : used + last + 1;
    used += got;
    if (whole > 0) {
      await give(whole);
      block.bytes.copy(block.bytes, 0, whole, used);
      used -= whole;
    }
    options.onProgress?.(progress);
    if (++blocks >= blocksPerTurn || performance.now() - turnedAt > turnMs) {
      await breathe(options.stop, stopHint);
      blocks = 0;
      turnedAt = performance.now();
    }
  }
  if (used > 0) {
    if (used === block.bytes.length) block.bytes = Buffer.concat([block.bytes, Buffer.alloc(1)]);
    block.bytes[used] = newline;
    await give(used + 1);
  }
}

/** An open input that is read from its beginning to its end. */
export interface BlockInput extends Disposable {
  /** Its size, or 0 where it is not known beforehand. */
  readonly bytesTotal: number;
  /** Reads into the buffer from `offset` on; returns the number of bytes, 0 at the end. */
  fill(buffer: Buffer, offset: number): number | Promise<number>;
}

/** Opens a file, or standard input for "-". Throws ENOENT and the like. */
export function openInput(path: string, stop?: AbortSignal): BlockInput {
  return path === "-" ? new StdinInput(stop) : new FileInput(path);
}

/** An input whose first bytes can be looked at before it is read. */
export class PeekedInput implements BlockInput {
  readonly #input: BlockInput;
  #head: Buffer = Buffer.alloc(0);
  #left = 0;

  constructor(input: BlockInput) {
    this.#input = input;
  }

  get bytesTotal(): number {
    return this.#input.bytesTotal;
  }

  /** The bytes that were looked at. */
  get head(): Buffer {
    return this.#head;
  }

  /** Looks at so many of the first bytes, or at all where there are fewer. Called before anything is read. */
  async peek(bytes: number): Promise<void> {
    const head = Buffer.allocUnsafe(bytes);
    let used = 0;
    while (used < bytes) {
      const got = await this.#input.fill(head, used);
      if (got === 0) break;
      used += got;
    }
    this.#head = head.subarray(0, used);
    this.#left = used;
  }

  fill(buffer: Buffer, offset: number): number | Promise<number> {
    if (this.#left === 0) return this.#input.fill(buffer, offset);
    const copied = this.#head.copy(buffer, offset, this.#head.length - this.#left);
    this.#left -= copied;
    return copied;
  }

  [Symbol.dispose](): void {
    this.#input[Symbol.dispose]();
  }
}

class FileInput implements BlockInput {
  readonly #fd: number;
  readonly bytesTotal: number;

  constructor(path: string) {
    try {
      this.#fd = openSync(path, "r");
    } catch (error) {
      throw readError(path, error);
    }
    const stat = fstatSync(this.#fd);
    this.bytesTotal = stat.size;
    if (!stat.isDirectory()) return;
    closeSync(this.#fd);
    throw readError(path, Object.assign(new Error(), { code: "EISDIR" }));
  }

  fill(buffer: Buffer, offset: number): number {
    return readSync(this.#fd, buffer, offset, buffer.length - offset, null);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

class StdinInput implements BlockInput {
  readonly bytesTotal = 0;
  readonly #reader = Bun.stdin.stream().getReader();
  readonly #stop: AbortSignal | undefined;
  #rest: Uint8Array = new Uint8Array();

  constructor(stop: AbortSignal | undefined) {
    this.#stop = stop;
  }

  async fill(buffer: Buffer, offset: number): Promise<number> {
    while (this.#rest.length === 0) {
      const { value, done } = await unlessStopped(this.#reader.read(), this.#stop, stopHint);
      if (done) return 0;
      this.#rest = value;
    }
    const taken = this.#rest.subarray(0, buffer.length - offset);
    buffer.set(taken, offset);
    this.#rest = this.#rest.subarray(taken.length);
    return taken.length;
  }

  [Symbol.dispose](): void {
    this.#reader.releaseLock();
  }
}
