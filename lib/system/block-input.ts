import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { readError } from "./errors.ts";
import { unlessStopped } from "./interrupt.ts";

/** The hint for a user who has stopped a reading. */
export const stopHint = "nothing was written; run the same command again";

/** An open input that is read from its beginning to its end. */
export interface BlockInput extends Disposable {
  /** The size of the input, or 0 where it is not known beforehand. */
  readonly bytesTotal: number;
  /** Reads into the buffer, from `offset` on. Returns the number of bytes, 0 at the end. */
  fill(buffer: Buffer, offset: number): number | Promise<number>;
}

/** Opens a file, or standard input for "-". Throws ENOENT and the like. */
export function openInput(path: string, stop?: AbortSignal): BlockInput {
  return path === "-" ? new StdinInput(stop) : new FileInput(path);
}

/** An input whose first bytes can be looked at before it is read; they are read again then. */
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

  /** Looks at the first `bytes` bytes, or at all where there are fewer. Call it before anything is read. */
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
