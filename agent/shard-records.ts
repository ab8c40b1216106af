import { createHash } from "node:crypto";
import { forEachRecord } from "../lib/manifest/read.ts";
import { errnoOf, invalidInput } from "../lib/system/errors.ts";
import { fileChunks } from "../lib/system/lines.ts";

/** The objects of one shard, by their place in it. */
export class ShardRecords {
  readonly paths: string[] = [];
  readonly sizes: number[] = [];
  readonly #places = new Map<string, number>();
  /** Places of a path that the shard holds more than once: one copy proves them all. */
  readonly #twins = new Map<string, number[]>();
  bytes = 0;

  add(path: string, size: number): void {
    const place = this.paths.length;
    this.paths.push(path);
    this.sizes.push(size);
    this.bytes += size;
    if (this.#places.has(path)) this.#twins.set(path, [...(this.#twins.get(path) ?? []), place]);
    else this.#places.set(path, place);
  }

  get count(): number {
    return this.paths.length;
  }

  /** The places of a path; none when the shard does not hold it. */
  placesOf(path: string): number[] {
    const first = this.#places.get(path);
    return first === undefined ? [] : [first, ...(this.#twins.get(path) ?? [])];
  }
}

/** Throws invalid input when a shard file is not the one that shards.meta.json describes. */
export async function checkShardDigest(path: string, sha256: string): Promise<void> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of fileChunks(path)) hash.update(chunk);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    throw invalidInput(`${path}: no such shard: shard the manifest again`);
  }
  const found = hash.digest("hex");
  if (found !== sha256) {
    throw invalidInput(
      `${path}: does not match its digest in shards.meta.json (${found.slice(0, 12)}..., recorded ${sha256.slice(0, 12)}...): ` +
        "shard the manifest again",
    );
  }
}

/** Reads the records of a shard file. */
export async function readShardRecords(path: string): Promise<ShardRecords> {
  const records = new ShardRecords();
  await forEachRecord(path, (record) => records.add(record.path, record.size));
  return records;
}
