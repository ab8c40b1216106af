import { existsSync } from "node:fs";
import { forEachLineBlock } from "../../system/line-blocks.ts";

const newline = 0x0a;

/** A line of a file of JSON lines, with its number from 1. */
export interface FoundLine {
  number: number;
  value: Record<string, unknown>;
}

/**
 * The first line of a file of JSON objects whose field of this name is this text; undefined where none is, or where there is
 * no such file. Only lines that have a part of the text in them are parsed. Lines that are no JSON are passed over.
 */
export async function findLine(
  path: string,
  field: string,
  text: string,
  stop: AbortSignal,
): Promise<FoundLine | undefined> {
  if (!existsSync(path)) return undefined;
  const needle = Buffer.from(plainPart(text));
  const search: { found?: FoundLine } = {};
  try {
    await forEachLineBlock(
      path,
      ({ bytes, start, end, firstLine }) => {
        let lines = 0;
        let counted = start;
        for (let at = indexOf(bytes, needle, start, end); at !== -1; ) {
          const from = bytes.lastIndexOf(newline, at) + 1;
          const to = bytes.indexOf(newline, at);
          const value = jsonOf(bytes.toString("utf8", Math.max(from, start), to));
          if (value?.[field] === text) {
            search.found = { number: firstLine + lines + countLines(bytes, counted, at), value };
            throw new FoundIt();
          }
          lines += countLines(bytes, counted, to + 1);
          counted = to + 1;
          at = to + 1 < end ? indexOf(bytes, needle, to + 1, end) : -1;
        }
        return lines + countLines(bytes, counted, end);
      },
      { stop },
    );
  } catch (error) {
    if (!(error instanceof FoundIt)) throw error;
  }
  return search.found;
}

class FoundIt extends Error {}

/** The longest part of a text that every writer of JSON leaves as it is; it may be empty. */
export function plainPart(text: string): string {
  const parts = text.match(/[A-Za-z0-9 ._-]+/g) ?? [];
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), "");
}

function indexOf(bytes: Buffer, needle: Buffer, start: number, end: number): number {
  const at = needle.length === 0 ? start : bytes.indexOf(needle, start);
  return at >= end ? -1 : at;
}

function countLines(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = bytes.indexOf(newline, start); at !== -1 && at < end; at = bytes.indexOf(newline, at + 1))
    count++;
  return count;
}

function jsonOf(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
