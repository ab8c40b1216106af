import { errnoOf, invalidInput } from "../system/errors.ts";
import { fileChunks, forEachLine, type Line } from "../system/lines.ts";
import { type ManifestRecord, parseRecord } from "./record.ts";

/** Calls `each` for every record of a manifest or shard file. Throws, naming file and line, for a bad one. */
export async function forEachRecord(
  path: string,
  each: (record: ManifestRecord, line: Line) => void,
): Promise<void> {
  try {
    await forEachLine(fileChunks(path), (line) =>
      each(parseRecord(line.bytes, `${path}:${line.number}`), line),
    );
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw invalidInput(`${path}: no such manifest`);
    throw error;
  }
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
