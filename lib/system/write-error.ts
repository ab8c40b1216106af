import { readlinkSync } from "node:fs";
import { errnoOf, messageOf } from "./errors.ts";

/** The error of a file that could not be written. Its message names the file, and says what to do. */
export class WriteError extends Error {
  override readonly name = "WriteError";
  /** The errno name, as Node's own errors have it. */
  readonly code: string;

  constructor(path: string, code: string, cause: unknown) {
    super(`${path}: cannot be written: ${said(code, cause)}`, { cause });
    this.code = code;
  }
}

/** For each errno name: what is wrong, and what to do. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on device: free some space there, and run the same command again",
  EDQUOT: "disk quota exceeded: free some space there, and run the same command again",
  EROFS: "read-only file system: choose a place that can be written",
  EIO: "input/output error: look at its file system",
  ESTALE: "stale file handle: look at its file system",
  EACCES: "permission denied: choose a place that you may write",
  EPERM: "operation not permitted: choose a place that you may write",
  EFBIG: "file too large: see ulimit -f, and what its file system takes",
  ENOTDIR: "a part of its path is no directory",
  EISDIR: "is a directory",
  ENAMETOOLONG: "file name too long",
  EMFILE: "too many open files: see ulimit -n",
  ENFILE: "too many open files in the system",
};

function said(code: string, cause: unknown): string {
  const remedy = remedies[code];
  return remedy === undefined ? messageOf(cause) : `${remedy} (${code})`;
}

/** Runs `act`, which writes to this path or open descriptor. An error of the system gets the file's name. */
export function writing<T>(file: string | number, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw writeErrorOf(file, error);
  }
}

/** An error of the system as a WriteError with the file's name; any other error as it is. */
export function writeErrorOf(file: string | number, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === undefined || error instanceof WriteError) return error;
  const path = typeof file === "number" ? pathOf(file) : file;
  return path === undefined ? error : new WriteError(nameOf(path), code, error);
}

/** The path of an open file, as the kernel tells it; undefined where it does not. */
function pathOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).replace(/ \(deleted\)$/, "");
  } catch {
    return undefined;
  }
}

/** The final name of a file whose temporary name is this path. */
const nameOf = (path: string): string => path.replace(/\.tmp\.[0-9a-z-]+$/i, "");
