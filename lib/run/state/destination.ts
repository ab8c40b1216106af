import * as v from "valibot";
import type { ShardsMeta } from "../../shard/meta.ts";
import { writeFileDurable } from "../../system/durable.ts";
import { readJsonFile } from "../../system/json-file.ts";
import { count, digest } from "../../system/schemas.ts";

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
