import { mkdirSync } from "node:fs";
import * as v from "valibot";
import { travels } from "../run/travels.ts";
import { operationFailed } from "../system/errors.ts";
import { quoteWords } from "../system/shell-words.ts";
import type { FarEnd } from "./far-end.ts";
import { arrivedBytes, receiveFiles } from "./file-stream.ts";
import { filesThatTravel, filesToPull } from "./inventory.ts";
import { call, isWanted, type TravelOptions } from "./stage.ts";

const inventorySchema = v.array(v.strictObject({ path: v.string(), size: v.number(), mtimeMs: v.number() }));

/** Which files the workstation wants. */
export const pullRequestSchema = v.strictObject({
  schema: v.literal("xfer.pull.v1"),
  dir: v.string(),
  wanted: v.array(v.strictObject({ path: v.string(), offset: v.number() })),
});

/** What was pulled. */
export interface Pulled {
  files: number;
  bytes: number;
  /** How many files were the same on both sides. */
  unchanged: number;
}

/**
 * Fetches a run directory from a cluster: manifest, shards, state, logs and reports, as far as their size or time is another
 * one than here. What was cut off goes on.
 */
export async function pull(
  end: FarEnd,
  far: { binary: string; dir: string },
  localDir: string,
  options: TravelOptions & { onProgress: (files: number, of: number) => void },
): Promise<Pulled> {
  const listed = await call(end, [far.binary, "far", "list", "--dir", far.dir], nothing(), options.stop);
  const there = v
    .parse(inventorySchema, JSON.parse(listed))
    .filter((file) => travels(file.path, "pull") && isWanted(options, file));
  const files = filesToPull(there, filesThatTravel(localDir, "pull"));
  mkdirSync(localDir, { recursive: true });
  const sizes = new Map(files.map(({ path, size }) => [path, size]));
  const wanted = files.map(({ path, size }) => {
    const arrived = size < resumeBytesMin ? 0 : arrivedBytes(localDir, path);
    return { path, offset: arrived <= size ? arrived : 0 };
  });
  let done = 0;
  if (wanted.length > 0) {
    const request = JSON.stringify({ schema: "xfer.pull.v1", dir: far.dir, wanted });
    await receive(end, far.binary, request, localDir, options.stop, () =>
      options.onProgress(++done, files.length),
    );
  }
  const bytes = wanted.reduce((sum, { path, offset }) => sum + (sizes.get(path) ?? 0) - offset, 0);
  return { files: done, bytes, unchanged: there.length - files.length };
}

/** A smaller file comes anew: it may have been replaced since a part of it came. */
const resumeBytesMin = 1024 * 1024;

async function receive(
  end: FarEnd,
  binary: string,
  request: string,
  localDir: string,
  stop: AbortSignal,
  onFile: () => void,
): Promise<void> {
  const queue = new ChunkQueue();
  const received = receiveFiles(localDir, queue.chunks(), (path) => travels(path, "pull"), onFile);
  // It is awaited below; a failure of the writing must not count as unhandled before.
  received.catch(() => queue.close());
  const sent = end.run(`exec ${quoteWords([binary, "far", "send"])}`, {
    input: (async function* () {
      yield new TextEncoder().encode(request);
    })(),
    onStdout: (bytes) => queue.add(bytes),
    stop,
  });
  try {
    const { code, stderr } = await sent;
    queue.close();
    await received;
    if (code !== 0) throw operationFailed(`${end.host}: ${stderr.trim().split("\n").at(-1) ?? ""}`);
  } catch (error) {
    queue.close();
    await received.catch(() => undefined);
    throw error;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Chunks from one side to another that reads them one at a time; `add` waits until the chunk before was taken. */
class ChunkQueue {
  #chunk: Uint8Array | undefined;
  #isClosed = false;
  #wake = Promise.withResolvers<void>();

  async add(bytes: Uint8Array): Promise<void> {
    while (this.#chunk !== undefined && !this.#isClosed) await this.#wake.promise;
    if (this.#isClosed) return;
    this.#chunk = bytes.slice();
    this.#signal();
  }

  close(): void {
    this.#isClosed = true;
    this.#signal();
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunk;
      if (chunk !== undefined) {
        this.#chunk = undefined;
        this.#signal();
        yield chunk;
      } else if (this.#isClosed) return;
      else await this.#wake.promise;
    }
  }

  #signal(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers<void>();
    resolve();
  }
}
