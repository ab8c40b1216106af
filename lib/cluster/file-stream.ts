import { createHash, type Hash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { syncFile } from "../system/durable.ts";
import { invalidInput, operationFailed } from "../system/errors.ts";
import { writing } from "../system/write-error.ts";

/**
 * Files of a run directory as one stream of bytes, which goes through ssh: for each a line of JSON, the bytes from an
 * offset on, and a line with the digest of the whole file. What arrives gets its name when its digest is right; what has
 * arrived of a stream that broke stays beside it, and is gone on from.
 */

const headSchema = v.strictObject({
  path: v.string(),
  /** Bytes of the whole file, as the sender opened it. */
  size: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Where the bytes that follow begin. */
  offset: v.pipe(v.number(), v.integer(), v.minValue(0)),
  mode: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0o777)),
  mtime_ms: v.number(),
});

const tailSchema = v.strictObject({ sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) });

/** A file to send, and what of it is there already. */
export interface WantedFile {
  path: string;
  offset: number;
}

const chunkBytes = 256 * 1024;

/** The stream of files below `dir`. A file that is gone when its turn comes is left out: a run directory lives. */
export async function* sendFiles(dir: string, files: readonly WantedFile[]): AsyncGenerator<Uint8Array> {
  for (const { path, offset } of files) {
    const fd = openIfThere(join(dir, path));
    if (fd === undefined) continue;
    try {
      const { size, mode, mtimeMs } = fstatSync(fd);
      const from = Math.min(offset, size);
      const head: v.InferOutput<typeof headSchema> = {
        path,
        size,
        offset: from,
        mode: mode & 0o777,
        mtime_ms: Math.trunc(mtimeMs),
      };
      yield Buffer.from(`${JSON.stringify(head)}\n`);
      const hash = createHash("sha256");
      for (const chunk of chunksOf(fd, 0, from)) hash.update(chunk);
      for (const chunk of chunksOf(fd, from, size)) {
        hash.update(chunk);
        yield chunk;
      }
      yield Buffer.from(`${JSON.stringify({ sha256: hash.digest("hex") })}\n`);
    } finally {
      closeSync(fd);
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** The bytes from `from` to `to`. Throws when the file has become shorter. */
function* chunksOf(fd: number, from: number, to: number): Generator<Uint8Array> {
  for (let at = from; at < to; ) {
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, to - at));
    const length = readSync(fd, buffer, 0, buffer.length, at);
    if (length === 0) throw operationFailed("a file became shorter while it was read: try again");
    at += length;
    yield buffer.subarray(0, length);
  }
}

/** Where what has arrived of a file waits for the rest. */
const partOf = (path: string): string => `${path}.part`;

/** How many bytes of a file have arrived already. */
export function arrivedBytes(dir: string, path: string): number {
  return statSync(join(dir, partOf(path)), { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Writes the files of a stream below `dir`. `mayWrite` says which names are allowed. `onFile` is told of each that is whole.
 * Throws when the stream ends early (what came is kept) or a digest is wrong (what came is thrown away).
 */
export async function receiveFiles(
  dir: string,
  stream: AsyncIterable<Uint8Array>,
  mayWrite: (path: string) => boolean,
  onFile: (path: string, size: number) => void,
): Promise<void> {
  const input = new StreamReader(stream);
  for (;;) {
    const line = await input.line();
    if (line === undefined) return;
    const head = parse(headSchema, line);
    if (!isBelow(head.path) || !mayWrite(head.path)) {
      throw invalidInput(`${JSON.stringify(head.path)}: no file of a run directory that may be written here`);
    }
    await receiveFile(join(dir, head.path), head, input);
    onFile(head.path, head.size);
  }
}

/** Whether a path stays below the folder that it is relative to. */
function isBelow(path: string): boolean {
  return (
    path !== "" && !path.startsWith("/") && path.split("/").every((part) => part !== ".." && part !== "")
  );
}

async function receiveFile(
  path: string,
  head: v.InferOutput<typeof headSchema>,
  input: StreamReader,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const part = partOf(path);
  const fd = openSync(part, head.offset === 0 ? "w+" : "r+", 0o600);
  const hash = createHash("sha256");
  try {
    if (fstatSync(fd).size < head.offset)
      throw operationFailed(`${part}: is shorter than the sender was told`);
    ftruncateSync(fd, head.offset);
    for (const chunk of chunksOf(fd, 0, head.offset)) hash.update(chunk);
    await copyBytes(input, head.size - head.offset, hash, fd, head.offset);
    syncFile(fd);
  } finally {
    closeSync(fd);
  }
  const line = await input.line();
  if (line === undefined) throw operationFailed(cutShort);
  if (parse(tailSchema, line).sha256 !== hash.digest("hex")) {
    rmSync(part, { force: true });
    throw operationFailed(`${path}: what arrived is not what was sent: it was thrown away, try again`);
  }
  chmodSync(part, head.mode);
  // A tenth of a millisecond more: what the file system rounds down is still the same millisecond.
  utimesSync(part, Date.now() / 1000, (head.mtime_ms + 0.1) / 1000);
  renameSync(part, path);
}

const cutShort = "the stream ended early: the connection was lost; the same command goes on where it was";

/** Copies `length` bytes of the stream to a descriptor's position. */
async function copyBytes(
  input: StreamReader,
  length: number,
  hash: Hash,
  fd: number,
  offset: number,
): Promise<void> {
  let at = offset;
  for (let left = length; left > 0; ) {
    const chunk = await input.bytes(left);
    if (chunk === undefined) throw operationFailed(cutShort);
    hash.update(chunk);
    writeFullyAt(fd, chunk, at);
    at += chunk.length;
    left -= chunk.length;
  }
}

function writeFullyAt(fd: number, chunk: Uint8Array, at: number): void {
  writing(fd, () => {
    for (let done = 0; done < chunk.length; ) {
      done += writeSync(fd, chunk, done, chunk.length - done, at + done);
    }
  });
}

function parse<S extends v.GenericSchema>(schema: S, line: string): v.InferOutput<S> {
  try {
    const result = v.safeParse(schema, JSON.parse(line));
    if (result.success) return result.output;
  } catch {
    // No JSON: as below.
  }
  throw operationFailed(
    "what came over the connection is no stream of files: are both ends of the same version?",
  );
}

/** The longest line between two files. */
const lineBytesMax = 64 * 1024;

/** Reads a stream of bytes by lines and by lengths. */
class StreamReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** The next line without its end; undefined when the stream has ended before one. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf(0x0a);
      if (end >= 0) {
        const line = this.#held.subarray(0, end).toString();
        this.#held = this.#held.subarray(end + 1);
        return line;
      }
      if (this.#held.length > lineBytesMax) throw operationFailed("a line between two files is too long");
      if (!(await this.#more())) {
        if (this.#held.length > 0) throw operationFailed(cutShort);
        return undefined;
      }
    }
  }

  /** Some of the next bytes, at most `most`; undefined when the stream has ended. */
  async bytes(most: number): Promise<Uint8Array | undefined> {
    if (this.#held.length === 0 && !(await this.#more())) return undefined;
    const taken = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done) return false;
    this.#held = this.#held.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.#held, next.value]);
    return true;
  }
}
