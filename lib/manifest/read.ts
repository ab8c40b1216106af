import { errnoOf, invalidInput } from "../system/errors.ts";
import { forEachLineBlock, inputName, type LineBlock, type LineBlockOptions } from "../system/line-blocks.ts";
import type { Line } from "../system/lines.ts";
import { BatchScanner, type RecordBatch } from "./batch.ts";
import { type ManifestRecord, parseRecord } from "./record.ts";

const newline = 0x0a;

/**
 * Calls `each` for the records of a manifest, or of standard input for "-", in batches, in order, and returns the
 * first record; undefined for an empty input. Throws, naming file and line, for a bad record and for one whose roots
 * are not the first's.
 */
export async function forEachBatch(
  path: string,
  each: (batch: RecordBatch) => void | Promise<void>,
  options?: LineBlockOptions,
): Promise<ManifestRecord | undefined> {
  const scanner = new BatchScanner(inputName(path));
  await readBlocks(
    path,
    (block) => {
      const batch = scanner.scan(block);
      const { count } = batch;
      const taken = each(batch);
      return taken === undefined ? count : taken.then(() => count);
    },
    options,
  );
  return scanner.first;
}

/** Calls `each` for every record of a manifest or shard file. Throws, naming file and line, for a bad one. */
export async function forEachRecord(
  path: string,
  each: (record: ManifestRecord, line: Pick<Line, "bytes" | "number">) => void,
): Promise<void> {
  await readBlocks(path, ({ bytes, start, end, firstLine }) => {
    let number = firstLine;
    for (let at = start; at < end; number++) {
      const lineEnd = bytes.indexOf(newline, at);
      const line = { bytes: bytes.subarray(at, lineEnd), number };
      each(parseRecord(line.bytes, `${inputName(path)}:${number}`), line);
      at = lineEnd + 1;
    }
    return number - firstLine;
  });
}

/** The first record of a manifest. Throws invalid input when there is none or it is bad. */
export async function readFirstRecord(path: string): Promise<ManifestRecord> {
  let first: ManifestRecord | undefined;
  try {
    await forEachRecord(path, (record) => {
      first = record;
      throw new FoundFirst();
    });
  } catch (error) {
    if (!(error instanceof FoundFirst)) throw error;
  }
  if (!first) throw invalidInput(`${path}: the manifest is empty`);
  return first;
}

class FoundFirst extends Error {}

async function readBlocks(
  path: string,
  each: (block: LineBlock) => number | Promise<number>,
  options?: LineBlockOptions,
): Promise<void> {
  try {
    await forEachLineBlock(path, each, options);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw invalidInput(`${path}: no such manifest`);
    throw error;
  }
}
