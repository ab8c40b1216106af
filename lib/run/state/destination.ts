import * as v from "valibot";
import type { ShardsMeta } from "../../shard/meta.ts";
import { writeFileDurable } from "../../system/durable.ts";
import { readJsonFile } from "../../system/json-file.ts";
import { count, digest } from "../../system/schemas.ts";

const version = v.nullable(v.tuple([v.number(), v.number()]));

/** The schema of destination.json. */
export const destinationSchema = v.object({
  schema: v.literal("xfer.destination.v2"),
  dest_root: v.string(),
  /** The digest of all shards: shards that are cut anew need a new look. */
  shards_sha256: digest,
  /** The destination held nothing, or what each shard's .found says, or so much more than the run that rclone has to compare. */
  found: v.picklist(["nothing", "per-shard", "too-much"]),
  /** How many objects were listed. */
  listed: count,
  /** rclone's version where the agents run, such as [1, 60]; null when rclone did not tell it. */
  rclone_version: version,
  checked_at: v.string(),
});

/** The file of an earlier build. Only an empty destination counts: in all other cases the look failed, or there was none. */
export const earlierSchema = v.object({
  schema: v.literal("xfer.destination.v1"),
  dest_root: v.string(),
  empty: v.literal(true),
  rclone_version: version,
});

/** The answer of the one look at the destination, before this run copied anything. */
export interface Destination {
  found: v.InferOutput<typeof destinationSchema>["found"];
  listed: number;
  version: readonly [number, number] | null;
}

/** The shards and the destination to which a look belongs. */
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

/** Reads destination.json. Undefined when there is none, or it is torn, or of other shards or another destination. */
export function readDestination(path: string, binding: DestinationBinding): Destination | undefined {
  const file = readJsonFile(path, v.union([destinationSchema, earlierSchema]));
  if (file.kind !== "value" || file.value.dest_root !== binding.destRoot) return undefined;
  if (file.value.schema === "xfer.destination.v1") {
    return { found: "nothing", listed: 0, version: file.value.rclone_version };
  }
  const { shards_sha256: shardsSha256, found, listed, rclone_version: version } = file.value;
  return shardsSha256 === binding.shardsSha256 ? { found, listed, version } : undefined;
}

/** Writes destination.json, which says that the look is complete. Call it when every shard has its .found. */
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
