import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errnoOf } from "./errors.ts";

/** The default capacity of a pipe: pipe(7). */
const pipeBytes = 64 * 1024;
/** Bounds of the reader's rest between two looks: the least, the most while little comes, and the most after a silence. */
const restMinMs = 1;
const restMaxMs = 5;
const restSilentMs = 25;
/** The number of looks in vain, together a fifth of a second, after which the writer counts as silent. */
const silentLooks = 40;

/**
 * A pipe whose reader looks at it now and then rather than wake for each write. rclone writes every line by itself. To be
 * woken for each line costs both sides more than the line itself: it made a listing take twice as long.
 */
export class GatheringPipe {
  /** The descriptor that the writing process gets as its output. */
  readonly writeEnd: number;
  readonly #readEnd: number;
  #hurried = false;
  #wake: () => void = () => {};

  private constructor(readEnd: number, writeEnd: number) {
    this.#readEnd = readEnd;
    this.writeEnd = writeEnd;
  }

  /**
   * Makes a pipe by `makeFifo`, which runs mkfifo(1): this runtime has no pipe(2). The pipe has a name in the temporary
   * directory only for a moment. Undefined where a pipe cannot be made.
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

  /** Call this once the writer has its own copy of the write end; otherwise the end of its output is never seen. */
  closeWriteEnd(): void {
    closeSync(this.writeEnd);
  }

  /** Ends the long rests; call this when the writer has ended. */
  hurry(): void {
    this.#hurried = true;
    this.#wake();
  }

  /** The bytes that are written, until nobody has the write end open. A chunk is valid until the next one is asked for. */
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
        // A pipe that is a quarter full was looked at too late, and one with less too soon.
        restMs = (got ?? 0) > pipeBytes / 4 ? restMs / 2 : restMs * 2;
        restMs = Math.min(looksInVain < silentLooks ? restMaxMs : restSilentMs, Math.max(restMinMs, restMs));
        await this.#rest(this.#hurried ? restMinMs : restMs);
      }
    } finally {
      closeSync(this.#readEnd);
    }
  }

  /** The number of bytes that were read: 0 at the end, undefined when there are none yet. */
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
