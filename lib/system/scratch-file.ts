import { closeSync, openSync, readSync, unlinkSync } from "node:fs";
import { writeFully } from "./durable.ts";
import { messageOf, operationFailed } from "./errors.ts";
import { writeErrorOf } from "./write-error.ts";

/**
 * Space on disk for data that does not fit into memory. The file is made when the first bytes come, and loses its name
 * before they are written. The kernel then removes it with the process, however that ends.
 */
export class ScratchFile implements Disposable {
  readonly #path: string;
  #fd: number | undefined;
  #bytes = 0;

  /** The scratch file is made in the folder of the path `beside`, which must exist. */
  constructor(beside: string) {
    this.#path = `${beside}.scratch.${process.pid}`;
  }

  /** Writes bytes at the end and returns where they begin. Throws operation failed when there is no room for them. */
  append(data: Uint8Array): number {
    const at = this.#bytes;
    try {
      this.#fd ??= openUnnamed(this.#path);
      writeFully(this.#fd, data);
    } catch (error) {
      throw operationFailed(messageOf(writeErrorOf(this.#path, error)), { cause: error });
    }
    this.#bytes += data.length;
    return at;
  }

  /** Fills `into` with bytes that were appended before, beginning at `at`. */
  read(into: Uint8Array, at: number): void {
    if (this.#fd === undefined) throw new Error("nothing was written to the scratch file");
    for (let done = 0; done < into.length; ) {
      const got = readSync(this.#fd, into, done, into.length - done, at + done);
      if (got === 0)
        throw operationFailed(`${this.#path}: the temporary file is shorter than what was written`);
      done += got;
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function openUnnamed(path: string): number {
  const fd = openSync(path, "w+", 0o600);
  unlinkSync(path);
  return fd;
}
