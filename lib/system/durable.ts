import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { errnoOf } from "./errors.ts";
import { writeErrorOf, writing } from "./write-error.ts";

/** Writes all of `data` at the descriptor's position, although one write(2) may take only a part. An error names the file. */
export function writeFully(fd: number, data: Uint8Array): void {
  try {
    for (let offset = 0; offset < data.length; ) {
      offset += writeSync(fd, data, offset, data.length - offset);
    }
  } catch (error) {
    throw writeErrorOf(fd, error);
  }
}

/** Brings a file onto stable storage. An error names the file. */
export function syncFile(fd: number): void {
  writing(fd, () => fsyncSync(fd));
}

/**
 * Makes a rename or an unlink in `dir` last through a power loss.
 * Filesystems that cannot fsync a directory say EINVAL or ENOTSUP; on these the rename is all there is.
 */
export function syncDirectory(dir: string): void {
  const fd = openSync(dir, "r");
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP"].includes(errnoOf(error) ?? "")) throw error;
  } finally {
    closeSync(fd);
  }
}

/**
 * A file that appears under its name whole or not at all: written beside it, fsynced, renamed.
 * Call `commit` or `abort` once; a process killed before leaves only a `.tmp.` file.
 */
export class AtomicFile {
  readonly path: string;
  readonly #temp: string;
  readonly #fd: number;
  readonly #buffer: Buffer;
  #used = 0;

  /** `mark` tells apart two files that are written for one name at the same time. */
  constructor(path: string, bufferBytes = 256 * 1024, mark = "") {
    this.path = path;
    this.#temp = `${path}.tmp.${process.pid}${mark}`;
    this.#fd = writing(path, () => {
      mkdirSync(dirname(path), { recursive: true });
      return openSync(this.#temp, "w", 0o666);
    });
    this.#buffer = Buffer.allocUnsafeSlow(bufferBytes);
  }

  write(data: Uint8Array): void {
    if (this.#used + data.length > this.#buffer.length) this.#flush();
    if (data.length > this.#buffer.length) {
      writeFully(this.#fd, data);
      return;
    }
    this.#buffer.set(data, this.#used);
    this.#used += data.length;
  }

  /** Writes the bytes `from` to `to`. */
  writePart(bytes: Buffer, from: number, to: number): void {
    const length = to - from;
    if (this.#used + length > this.#buffer.length) this.#flush();
    if (length > this.#buffer.length) writeFully(this.#fd, bytes.subarray(from, to));
    else this.#used += bytes.copy(this.#buffer, this.#used, from, to);
  }

  writeText(text: string): void {
    // UTF-8 takes at most three bytes for each unit of a string.
    const most = 3 * text.length;
    if (this.#used + most > this.#buffer.length) this.#flush();
    if (most > this.#buffer.length) writeFully(this.#fd, Buffer.from(text));
    else this.#used += this.#buffer.write(text, this.#used);
  }

  #flush(): void {
    writeFully(this.#fd, this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  /** Flushes, and returns the path under which the content so far can be read. */
  written(): string {
    this.#flush();
    return this.#temp;
  }

  /** Gives the content its final name, and replaces the file that had it; durable unless that is not asked for. */
  commit({ durable = true }: { durable?: boolean } = {}): void {
    try {
      this.#flush();
      if (durable) syncFile(this.#fd);
    } catch (error) {
      this.abort();
      throw error;
    }
    writing(this.path, () => {
      // NFS may report a full disk only when the file is closed.
      closeSync(this.#fd);
      renameSync(this.#temp, this.path);
    });
    if (durable) syncDirectory(dirname(this.path));
  }

  /** Throws the content away; the final name is untouched. */
  abort(): void {
    closeSync(this.#fd);
    rmSync(this.#temp, { force: true });
  }
}

/**
 * Writes a file that appears under its name, whole and durable, when `write` has resolved. If `write` throws, the file that
 * was there before stays, and nothing is left of the new one. `file` is a path, or a file that was opened for it already.
 */
export async function writeWhole<T>(
  file: string | AtomicFile,
  write: (file: AtomicFile) => T | Promise<T>,
): Promise<T> {
  const opened = typeof file === "string" ? new AtomicFile(file) : file;
  let made: T;
  try {
    made = await write(opened);
  } catch (error) {
    opened.abort();
    throw error;
  }
  opened.commit();
  return made;
}

/** Replaces `path` atomically and durably: a reader, or a crash, sees the old content or the new, never a part. */
export function writeFileDurable(path: string, content: string | Uint8Array): void {
  const file = new AtomicFile(path, 0);
  try {
    if (typeof content === "string") file.writeText(content);
    else file.write(content);
  } catch (error) {
    file.abort();
    throw error;
  }
  file.commit();
}

/** Replaces `path` atomically but not durably. It is for progress files, which a crash may lose. */
export function replaceFile(path: string, text: string): void {
  const temp = `${path}.tmp.${process.pid}`;
  writing(path, () => {
    const fd = openSync(temp, "w", 0o666);
    try {
      writeFully(fd, Buffer.from(text));
    } finally {
      closeSync(fd);
    }
    renameSync(temp, path);
  });
}

/** Replaces `path` as replaceFile does, by a file that only this user may read from its first byte on. */
export function replacePrivateFile(path: string, text: string): void {
  const temp = `${path}.tmp.${process.pid}`;
  writing(path, () => {
    removeIfExists(temp);
    const fd = openSync(temp, "wx", 0o600);
    try {
      writeFully(fd, Buffer.from(text));
    } finally {
      closeSync(fd);
    }
    renameSync(temp, path);
  });
}

/** The text of a file, or undefined when there is none. The file is opened without a stat, since NFS caches negative lookups. */
export function readTextIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes a file if it is there; true when there was one. */
export function removeIfExists(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
