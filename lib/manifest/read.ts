import { errnoOf, invalidInput } from "../system/errors.ts";
import { inputName } from "../system/input.ts";
import { forEachLineBlock, type LineBlock, type LineBlockOptions } from "../system/line-blocks.ts";
import { BatchScanner, type RecordBatch, recordOfRow } from "./batch.ts";
import type { ManifestRecord } from "./record.ts";

/**
 * Calls `each` with the records of a manifest, or of standard input for "-", in batches and in order. Returns the first
 * record; undefined for an empty input. Throws, naming file and line, for a bad record and for one whose roots are not the
 * first's.
 */
export async function forEachBatch(
  path: string,
  each: (batch: RecordBatch) => void | Promise<void>,
  options?: LineBlockOptions,
): Promise<ManifestRecord | undefined> {
  const scanner = new BatchScanner(inputName(path));
  const eachBlock = (block: LineBlock) => {
    const batch = scanner.scan(block);
    const { count } = batch;
    const taken = each(batch);
    return taken === undefined ? count : taken.then(() => count);
  };
  try {
    await forEachLineBlock(path, eachBlock, options);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw invalidInput(`${path}: no such manifest`, { cause: error });
    throw error;
  }
  return scanner.first;
}

/** The first record of a manifest. Throws invalid input when there is none or it is bad. */
export async function readFirstRecord(path: string): Promise<ManifestRecord> {
  let first: ManifestRecord | undefined;
  try {
    await forEachBatch(path, (batch) => {
      first = recordOfRow(batch, 0);
      throw new FoundFirst();
    });
  } catch (error) {
    if (!(error instanceof FoundFirst)) throw error;
  }
  if (!first) throw invalidInput(`${path}: the manifest is empty`);
  return first;
}

class FoundFirst extends Error {}
