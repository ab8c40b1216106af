import { type BlockInput, openInput, stopHint } from "./block-input.ts";
import { invalidInput } from "./errors.ts";
import { inputName } from "./input.ts";
import { breathe } from "./interrupt.ts";
import { lineBytesMax } from "./lines.ts";

const newline = 0x0a;
/** Bytes that are read at a time: they stay in the processor's cache. */
const blockBytes = 512 * 1024;
/** After this many blocks, or this long, the event loop gets a turn: signals and timers are then served. */
const blocksPerTurn = 16;
const turnMs = 100;

/** Whole lines of a stream: `bytes` from `start` to `end`. Each line ends with a newline. Valid until the callback returns. */
export interface LineBlock {
  bytes: Buffer;
  start: number;
  end: number;
  /** The number of the block's first line, from 1. */
  firstLine: number;
}

/** How many bytes have been read; `bytesTotal` is 0 where it is not known beforehand. */
export interface ReadProgress {
  bytes: number;
  bytesTotal: number;
}

/** Options of `forEachLineBlock`. */
export interface LineBlockOptions {
  onProgress?: ((progress: ReadProgress) => void) | undefined;
  /** Aborted to end the reading, which then throws the error of a command that was asked to stop. */
  stop?: AbortSignal | undefined;
  /** An open input that is read in place of the file of that name, for one whose beginning was looked at. */
  input?: BlockInput | undefined;
}

/**
 * Reads a file, or standard input for "-", and calls `each` with blocks of whole lines, in order. A last line without a
 * newline is given one. `each` returns the number of lines it saw. Memory is one block, or the longest line.
 * Throws ENOENT and the like, and invalid input for a folder or the like and for a line longer than 16 MiB.
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
