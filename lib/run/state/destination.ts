import { readFileSync } from "node:fs";
import * as v from "valibot";
import type { Relation } from "../../compare/comparison.ts";
import type { ShardsMeta } from "../../shard/meta.ts";
import { AtomicFile, writeFileDurable } from "../../system/durable.ts";
import { errnoOf } from "../../system/errors.ts";
import { readJsonFile } from "../../system/json-file.ts";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const version = v.nullable(v.tuple([v.number(), v.number()]));

const destinationSchema = v.object({
  schema: v.literal("xfer.destination.v2"),
  dest_root: v.string(),
  /** The digest of all shards: a manifest that is cut anew is looked at anew. */
  shards_sha256: digest,
  /** Nothing at all; what each shard's .found says; or far more than the run has, so that every object is compared. */
  found: v.picklist(["nothing", "per-shard", "too-much"]),
  /** Objects that were listed. */
  listed: count,
  /** rclone's version where the agents run: [1, 60]; null when it did not say. */
  rclone_version: version,
  checked_at: v.string(),
});

/** What an earlier build wrote, of which only an empty destination counts: all else was a look that failed, or none. */
const earlierSchema = v.object({
  schema: v.literal("xfer.destination.v1"),
  dest_root: v.string(),
  empty: v.literal(true),
  rclone_version: version,
});

/** What the one look at the destination found before this run copied anything. */
export interface Destination {
  found: v.InferOutput<typeof destinationSchema>["found"];
  listed: number;
  version: readonly [number, number] | null;
}

/** What a look belongs to: these shards, at this destination. */
export interface DestinationBinding {
  destRoot: string;
  shardsSha256: string;
}

/** Binds a look to the shards of a run and to their destination. */
export function destinationBinding(destRoot: string, meta: ShardsMeta): DestinationBinding {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const { sha256 } of meta.shards) hasher.update(`${sha256}\n`);
  return { destRoot, shardsSha256: hasher.digest("hex") };
}

/** Reads destination.json; undefined when there is none that counts: torn, or of other shards or another place. */
export function readDestination(path: string, binding: DestinationBinding): Destination | undefined {
  const file = readJsonFile(path, v.union([destinationSchema, earlierSchema]));
  if (file.kind !== "value" || file.value.dest_root !== binding.destRoot) return undefined;
  if (file.value.schema === "xfer.destination.v1") {
    return { found: "nothing", listed: 0, version: file.value.rclone_version };
  }
  const { shards_sha256: shardsSha256, found, listed, rclone_version: version } = file.value;
  return shardsSha256 === binding.shardsSha256 ? { found, listed, version } : undefined;
}

/** Writes destination.json, after the .found of every shard: it says that the look is complete. */
export function writeDestination(
  path: string,
  binding: DestinationBinding,
  { found, listed, version: rcloneVersion }: Destination,
): void {
  const content = {
    schema: "xfer.destination.v2",
    dest_root: binding.destRoot,
    shards_sha256: binding.shardsSha256,
    found,
    listed,
    rclone_version: rcloneVersion === null ? null : [...rcloneVersion],
    checked_at: new Date().toISOString(),
  };
  writeFileDurable(path, `${JSON.stringify(content)}\n`);
}

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
  const file = new AtomicFile(path, 64 * 1024);
  try {
    file.write(foundHeader(sha256));
    file.write(found.map((finding) => finding + zero));
    file.writeText("\n");
  } catch (error) {
    file.abort();
    throw error;
  }
  file.commit();
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
