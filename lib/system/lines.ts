import { createReadStream } from "node:fs";
import { readError } from "./errors.ts";

const newline = 0x0a;
/** No writer makes a record that is longer than this: readers stop before a line fills the memory. */
export const lineBytesMax = 16 * 1024 * 1024;

/** One line of a byte stream, without its newline; `bytes` is valid only until the callback returns. */
export interface Line {
  bytes: Uint8Array;
  /** From 1. */
  number: number;
  /** False only for a last line without a newline. */
  terminated: boolean;
}

/**
 * Calls `each` for every line of a byte stream, in order. Lines that lie inside one chunk are not copied.
 * Throws when a line is longer than 16 MiB. Returns the number of lines.
 */
export async function forEachLine(
  chunks: AsyncIterable<Uint8Array>,
  each: (line: Line) => void,
): Promise<number> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let number = 0;
  const line: Line = { bytes: new Uint8Array(), number: 0, terminated: true };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      line.bytes = chunk.subarray(start, end);
      if (restBytes > 0) {
        line.bytes = join(rest, line.bytes);
        rest = [];
        restBytes = 0;
      }
      line.number = ++number;
      each(line);
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.slice(start));
      restBytes += chunk.length - start;
      if (restBytes > lineBytesMax)
        throw new Error(`line ${number + 1} is longer than ${lineBytesMax} bytes`);
    }
  }
  if (restBytes > 0) {
    each({ bytes: join(rest, new Uint8Array()), number: ++number, terminated: false });
  }
  return number;
}

/**
 * Calls `each` for every line of a UTF-8 stream, in order, with its number from 1 and whether a newline ends it. Whole
 * chunks are decoded, which is quicker than line by line where every line is wanted as text. Throws as `forEachLine` does.
 */
export async function forEachTextLine(
  chunks: AsyncIterable<Uint8Array>,
  each: (line: string, number: number, terminated: boolean) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  let number = 0;
  const take = (text: string) => {
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      each(start === 0 ? rest + text.slice(0, end) : text.slice(start, end), ++number, true);
      if (start === 0) rest = "";
      start = end + 1;
    }
    rest += text.slice(start);
    if (rest.length > lineBytesMax)
      throw new Error(`line ${number + 1} is longer than ${lineBytesMax} bytes`);
  };
  for await (const chunk of chunks) take(decoder.decode(chunk, { stream: true }));
  take(decoder.decode());
  if (rest !== "") each(rest, ++number, false);
}

function join(parts: Uint8Array[], last: Uint8Array): Uint8Array {
  const only = parts[0];
  if (parts.length === 1 && only && last.length === 0) return only;
  return Buffer.concat([...parts, last]);
}

/**
 * The bytes of a file in chunks of 1 MiB. Iterating throws ENOENT and the like, and invalid input for a folder or a file
 * that may not be read.
 */
export async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw readError(path, error);
  }
}
