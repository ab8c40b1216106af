import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errnoOf } from "./errors.ts";

/** What a pipe holds unless it is told otherwise: pipe(7). */
const pipeBytes = 64 * 1024;
/** How long the reader rests between two looks: at least; at most while little comes; at most after a silence. */
const restMinMs = 1;
const restMaxMs = 5;
const restSilentMs = 25;
/** So many looks in vain are a silence: a fifth of a second. */
const silentLooks = 40;

/**
 * A pipe whose reader looks at it now and then rather than wake for each write. rclone writes every line by itself, and to
 * be woken for each costs writer and reader more than the line does: a listing took twice as long.
 */
export class GatheringPipe {
  /** What the writing process gets as its output. */
  readonly writeEnd: number;
  readonly #readEnd: number;
  #hurried = false;
  #wake: () => void = () => {};

  private constructor(readEnd: number, writeEnd: number) {
    this.#readEnd = readEnd;
    this.writeEnd = writeEnd;
  }

  /**
   * Makes a pipe, which has a name in the temporary directory only for a moment, by `makeFifo`: mkfifo(1), since this
   * runtime has no pipe(2). Undefined where that cannot be done.
   */
  static open(makeFifo: (path: string) => boolean): GatheringPipe | undefined {
    let dir: string | undefined;
    try {
      dir = mkdtempSync(join(tmpdir(), "xfer-"));
      const path = join(dir, "pipe");
      if (!makeFifo(path)) return undefined;
      const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return new GatheringPipe(readEnd, openSync(path, constants.O_WRONLY));
    } catch {
      return undefined;
    } finally {
      if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
    }
  }

  /** To be called once the writer has its own copy: the end of what it writes can then be seen. */
  closeWriteEnd(): void {
    closeSync(this.writeEnd);
  }

  /** No more rests: to be called when the writer has ended. */
  hurry(): void {
    this.#hurried = true;
    this.#wake();
  }

  /** What is written, until nobody has the write end any more; a chunk is valid until the next one is asked for. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    // No Buffer: its `slice` would not copy.
    const buffer = new Uint8Array(pipeBytes);
    let restMs = restMinMs;
    let looksInVain = 0;
    try {
      for (;;) {
        const got = this.#read(buffer);
        if (got === 0) return;
        if (got !== undefined) yield buffer.subarray(0, got);
        if (got === pipeBytes) {
          await new Promise((resolve) => setImmediate(resolve));
          continue;
        }
        looksInVain = got === undefined ? looksInVain + 1 : 0;
        // A reader that finds the pipe near full comes too late, one that finds little too soon.
        restMs = (got ?? 0) > pipeBytes / 4 ? restMs / 2 : restMs * 2;
        restMs = Math.min(looksInVain < silentLooks ? restMaxMs : restSilentMs, Math.max(restMinMs, restMs));
        await this.#rest(this.#hurried ? restMinMs : restMs);
      }
    } finally {
      closeSync(this.#readEnd);
    }
  }

  /** The bytes that were read, 0 at the end, undefined when there are none yet. */
  #read(buffer: Uint8Array): number | undefined {
    try {
      return readSync(this.#readEnd, buffer);
    } catch (error) {
      if (errnoOf(error) === "EAGAIN") return undefined;
      throw error;
    }
  }

  #rest(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
