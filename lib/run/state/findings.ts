import { readFileSync } from "node:fs";
import type { Relation } from "../../compare/comparison.ts";
import { writeFileDurable } from "../../system/durable.ts";
import { errnoOf } from "../../system/errors.ts";

/** What the look at the destination says of a record, each with its digit in a .found. */
export const findings = { toCopy: 0, maybeThere: 1, identical: 2 } as const;

export type Finding = (typeof findings)[keyof typeof findings];

/**
 * The finding on a record, by its relation to the listing:
 *
 * | the object is listed | finding |
 * |---|---|
 * | not at all, or with another size or MD5 | to copy |
 * | with the same size, and without an MD5 to compare | maybe there: rclone compares it |
 * | with the same size and MD5 | identical: it is there |
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

/** Reads a shard's .found. Undefined when there is none, or it is not whole or not of this content. */
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
 * Makes a shard copy every record that is not proven, whatever the look has found. It is for a destination whose data was
 * written by a node that may be lost: an object's size and time are there before its content is on stable storage.
 */
export function distrustFindings(path: string, shard: { sha256: string; records: number }): void {
  writeFindings(path, shard.sha256, new Uint8Array(shard.records));
}
