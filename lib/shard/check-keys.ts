import { join } from "node:path";
import type { RecordBatch } from "../manifest/batch.ts";
import { DistinctKeys, firstDuplicate } from "../manifest/distinct-keys.ts";
import { forEachBatch } from "../manifest/read.ts";
import { writeFileDurable } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { breathe } from "../system/interrupt.ts";
import { type ShardsMeta, shardFileName, shardsMetaName } from "./meta.ts";

/**
 * Makes sure that no key is in two records of a set of shards, and notes it in shards.meta.json. A set whose
 * shards.meta.json says so already is not read. Throws invalid input, naming both lines, when a key is there twice: one line
 * of rclone's log would then prove two records, perhaps in two shards, of which no agent sees both.
 */
export async function checkShardKeys(shardsDir: string, meta: ShardsMeta, stop?: AbortSignal): Promise<void> {
  if (meta.keys_distinct === true) return;
  const paths = meta.shards.map((_, shard) => join(shardsDir, shardFileName(shard)));
  const read = async (each: (batch: RecordBatch) => void) => {
    for (const path of paths) await forEachBatch(path, each, { stop });
  };
  using keys = new DistinctKeys(shardsDir);
  const ends: number[] = [];
  let records = 0;
  for (const path of paths) {
    // A shard may be too small for its reader to look up from it.
    await breathe(stop, "nothing was written; run the same command again");
    await forEachBatch(
      path,
      (batch) => {
        keys.add(batch);
        records += batch.count;
      },
      { stop },
    );
    ends.push(records);
  }
  const twice = firstDuplicate(await keys.duplicates(read, stop));
  if (twice) {
    const where = (line: number) => {
      const shard = ends.findIndex((end) => line <= end);
      return `${paths[shard]}:${line - (ends[shard - 1] ?? 0)}`;
    };
    throw invalidInput(
      `${where(twice.again)}: the key is in ${where(twice.line)} already: ${twice.key}: ` +
        "remove one of the two records from the manifest and use a new run directory",
    );
  }
  const path = join(shardsDir, shardsMetaName);
  writeFileDurable(path, `${JSON.stringify({ ...meta, keys_distinct: true }, null, 1)}\n`);
}
