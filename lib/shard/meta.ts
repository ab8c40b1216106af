import * as v from "valibot";
import { invalidInput } from "../system/errors.ts";
import { readJsonFile } from "../system/json-file.ts";
import { count, digest } from "../system/schemas.ts";

/** The ways to distribute records over shards. */
export const shardStrategies = ["bytes", "count", "hash"] as const;

export type ShardStrategy = (typeof shardStrategies)[number];

const shardEntrySchema = v.looseObject({
  shard: v.optional(count),
  file: v.optional(v.string()),
  records: count,
  bytes: count,
  /** The bytes of all objects, and the overhead of each. */
  weight: v.optional(count),
  largest_bytes: v.optional(count),
  /** The number of distinct directories: exact up to 256, and an estimate beyond that. */
  directories: v.optional(count),
  sha256: digest,
});

/** The schema of shards.meta.json. */
export const shardsMetaSchema = v.pipe(
  v.looseObject({
    schema: v.literal("xfer.shards.v1"),
    input: v.string(),
    outdir: v.string(),
    num_shards: v.pipe(count, v.minValue(1)),
    strategy: v.picklist(shardStrategies),
    num_records: count,
    bytes_total: count,
    created_at: v.string(),
    /** The roots that all records have. */
    source_root: v.optional(v.string()),
    dest_root: v.optional(v.string()),
    object_overhead_bytes: v.optional(count),
    weight_total: v.optional(count),
    /** How many times the mean the largest shard has, for each measure. */
    spread: v.optional(v.looseObject({ weight: v.number(), bytes: v.number(), records: v.number() })),
    /** Whether all keys in all shards are known to be distinct. */
    keys_distinct: v.optional(v.boolean()),
    shards: v.array(shardEntrySchema),
  }),
  v.check(
    ({ shards, num_shards }) =>
      shards.length === num_shards && shards.every(({ shard }, index) => (shard ?? index) === index),
    "the list of shards does not hold exactly the shards 0 to num_shards - 1",
  ),
);

/** One shard as shards.meta.json describes it. */
export type ShardEntry = v.InferOutput<typeof shardEntrySchema>;

/** The content of shards.meta.json, schema xfer.shards.v1. */
export type ShardsMeta = v.InferOutput<typeof shardsMetaSchema>;

/** Reads a shards.meta.json; undefined when there is none. Throws invalid input for one that is not whole. */
export function readShardsMeta(path: string): ShardsMeta | undefined {
  const file = readJsonFile(path, shardsMetaSchema);
  switch (file.kind) {
    case "value":
      return file.value;
    case "none":
      return undefined;
    case "torn":
      throw invalidInput(`${path}: ${file.problem}: shard the manifest again`);
    case "foreign":
      throw invalidInput(`${path}: not of schema xfer.shards.v1: ${file.problem}: shard the manifest again`);
  }
}

/** Reads a shards.meta.json that has to be there. Throws invalid input when it is not, or is not whole. */
export function requireShardsMeta(path: string): ShardsMeta {
  const meta = readShardsMeta(path);
  if (!meta) throw invalidInput(`${path}: no such file: shard the manifest first`);
  return meta;
}

/** The file beside the shards that describes them. */
export const shardsMetaName = "shards.meta.json";

/** The file name of a shard: shard_000123.jsonl. */
export function shardFileName(shard: number): string {
  return `shard_${String(shard).padStart(6, "0")}.jsonl`;
}
