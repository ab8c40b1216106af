import { createGunzip } from "node:zlib";
import { errnoOf, invalidInput, messageOf } from "./errors.ts";
import { unlessStopped } from "./interrupt.ts";
import { fileChunks } from "./lines.ts";

/** The name of an input in messages. */
export function inputName(path: string): string {
  return path === "-" ? "stdin" : path;
}

/**
 * The bytes of a file, or of stdin for "-". Input that gzip packed is unpacked, even when it has several members. Throws
 * invalid input, naming the file, when there is none or it is packed and torn. Throws the error of a command that was asked
 * to stop when `stop` is aborted, since the writer behind stdin may be silent for ever.
 */
export async function* inputChunks(path: string, stop?: AbortSignal): AsyncGenerator<Uint8Array> {
  const chunks = path === "-" ? stdinChunks(stop) : fileChunks(path);
  try {
    const iterator = chunks[Symbol.asyncIterator]();
    const first = await iterator.next();
    if (first.done) return;
    const all = (async function* () {
      yield first.value;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    })();
    const packed = first.value[0] === 0x1f && first.value[1] === 0x8b;
    yield* packed ? unpacked(all) : all;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw invalidInput(`${path}: no such file`, { cause: error });
    if (/^Z_|^ERR_ZLIB/.test(errnoOf(error) ?? "")) {
      throw invalidInput(`${inputName(path)}: not whole, or not gzip: ${messageOf(error)}`, { cause: error });
    }
    throw error;
  }
}

async function* stdinChunks(stop: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const reader = Bun.stdin.stream().getReader();
  try {
    for (;;) {
      const { value, done } = await unlessStopped(reader.read(), stop, "nothing was written");
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}

async function* unpacked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const fed = (async () => {
    for await (const chunk of chunks) {
      if (!gunzip.write(chunk)) await new Promise((resolve) => gunzip.once("drain", resolve));
    }
    gunzip.end();
  })();
  fed.catch((error: Error) => gunzip.destroy(error));
  for await (const chunk of gunzip) yield chunk as Uint8Array;
}
