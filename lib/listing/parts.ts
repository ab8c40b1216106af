import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { readTextIfExists } from "../system/durable.ts";
import { invalidInput, isStop, messageOf, XferError } from "../system/errors.ts";
import { fileChunks } from "../system/lines.ts";
import { type ListingEntry, parseEntry } from "./entry.ts";
import { forEachArrayElement } from "./json-array.ts";
import { compareUtf8, joinPrefix } from "./prefix.ts";
import { forEachEntry } from "./read-entries.ts";

/** One whole output of `rclone lsjson` on disk, and the prefix below the source root that its paths are relative to. */
export interface Part {
  path: string;
  /** A prefix without a slash at its end; empty for the root. */
  prefix: string;
}

/** The sidecar that holds a part's prefix: lsjson-XYZ.prefix beside lsjson-XYZ.json. */
export function prefixFile(partPath: string): string {
  return partPath.replace(/\.json$/, ".prefix");
}

/**
 * The parts in a folder, `lsjson-*.json`, ordered by the bytes of their names. Throws invalid input when there is none, or when
 * a part has no sidecar with its prefix.
 */
export function findParts(dir: string): Part[] {
  if (!existsSync(dir)) throw invalidInput(`${dir}: no such folder of parts`);
  const names = readdirSync(dir).filter((name) => /^lsjson-.*\.json$/.test(name));
  if (names.length === 0) throw invalidInput(`${dir}: no parts there: lsjson-*.json`);
  return names.sort(compareUtf8).map((name) => {
    const path = join(dir, name);
    const text = readTextIfExists(prefixFile(path));
    if (text === undefined) {
      throw invalidInput(
        `${path}: no ${prefixFile(name)} beside it: it must hold the prefix that was listed, or be empty for the root`,
      );
    }
    return { path, prefix: text.replace(/\r?\n$/, "").replace(/\/$/, "") };
  });
}

/**
 * Calls `each` for every object of the parts, in their order, with its path below the root and its part. Directories are left
 * out. Throws invalid input, naming the part, when a part is truncated or is not one JSON array.
 */
export async function forEachPartEntry(
  parts: readonly Part[],
  each: (entry: ListingEntry, part: Part) => void,
): Promise<void> {
  for (const part of parts) {
    const { path, prefix } = part;
    try {
      await forEachEntryOf(path, (entry) => {
        if (entry.IsDir) return;
        entry.Path = joinPrefix(prefix, entry.Path);
        each(entry, part);
      });
    } catch (error) {
      if (!(error instanceof XferError) || isStop(error)) throw error;
      throw invalidInput(`${path}: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Reads a part. rclone's own layout is read faster; another program may have given the listing any other. */
async function forEachEntryOf(path: string, each: (entry: ListingEntry) => void): Promise<void> {
  if (isInLines(path)) await forEachEntry(fileChunks(path), each);
  else await forEachArrayElement(fileChunks(path), (text) => each(parseEntry(text)));
}

/** Whether a file begins as rclone lsjson does: a bracket, and on the next line an entry or the closing bracket. */
function isInLines(path: string): boolean {
  const fd = openSync(path, "r");
  try {
    const head = Buffer.alloc(16);
    const text = head.toString("latin1", 0, readSync(fd, head));
    return /^\[\n(?:\{"|\]|\n|$)/.test(text);
  } finally {
    closeSync(fd);
  }
}
