import { readFileSync } from "node:fs";
import type { Relation } from "../../compare/comparison.ts";
import { writeFileDurable } from "../../system/durable.ts";
import { errnoOf } from "../../system/errors.ts";

/** What the look says of a record; the digit that stands for it in a .found. */
export const findings = { toCopy: 0, maybeThere: 1, identical: 2 } as const;

export type Finding = (typeof findings)[keyof typeof findings];

/**
 * What follows for the copy from how a record stands to the listing:
 *
 * | listed | finding |
 * |---|---|
 * | not, or with another size or MD5 | to copy |
 * | same size, and no MD5 to compare | maybe there: rclone compares it |
 * | same size and MD5 | identical: it is there |
 */
export function findingOf(relation: Relation): Finding {
  if (relation === "hash-equal") return findings.identical;
  return relation === "size-equal" ? findings.maybeThere : findings.toCopy;
}

const foundHeader = (sha256: string) => Buffer.from(`xfer.found.v1 ${sha256}\n`);
const zero = 0x30;

/** Writes a shard's .found: a line that binds it to the shard's content, then a digit for each record. */
export function writeFindings(path: string, sha256: string, found: Uint8Array): void {
  const digits = found.map((finding) => finding + zero);
  writeFileDurable(path, Buffer.concat([foundHeader(sha256), digits, Buffer.from("\n")]));
}

/** Reads a shard's .found; undefined when there is none that is whole and of this content. */
export function readFindings(
  path: string,
  shard: { sha256: string; records: number },
): Uint8Array | undefined {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const header = foundHeader(shard.sha256);
  if (file.length !== header.length + shard.records + 1) return undefined;
  if (!file.subarray(0, header.length).equals(header)) return undefined;
  const found = Uint8Array.from(file.subarray(header.length, -1), (digit) => digit - zero);
  return found.every((finding) => finding <= findings.identical) ? found : undefined;
}

/**
 * Makes a shard copy all that is not proven, whatever the look has found or finds: at a destination whose data was written by
 * a node that may be gone, size and time are there before the content is on stable storage.
 */
export function distrustFindings(path: string, shard: { sha256: string; records: number }): void {
  writeFindings(path, shard.sha256, new Uint8Array(shard.records));
}
