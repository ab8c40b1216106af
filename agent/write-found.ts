import type { HiddenFolders } from "../lib/listing/hidden-folders.ts";
import { keyText } from "../lib/manifest/batch.ts";
import { forEachBatch } from "../lib/manifest/read.ts";
import type { RootKind } from "../lib/rclone/root.ts";
import { type RunLayout, shardLayout } from "../lib/run/layout.ts";
import { findings, readFindings, writeFindings } from "../lib/run/state/findings.ts";
import type { ShardsMeta } from "../lib/shard/meta.ts";
import type { ShardsInMemory } from "./shards-in-memory.ts";

/**
 * Writes each shard's .found: the findings of a listing that was compared with the shards in memory, or nothing found for
 * any record when there was no listing. Records below a folder that could not be listed may be there.
 */
export async function writeFound(
  { run, meta, destKind }: { run: RunLayout; meta: ShardsMeta; destKind: RootKind },
  shards: readonly number[],
  inMemory: ShardsInMemory | undefined,
  hidden: HiddenFolders,
): Promise<void> {
  const write = async (shard: number, found: Uint8Array) => {
    const { sha256, records } = meta.shards[shard] ?? { sha256: "", records: 0 };
    const { found: path } = shardLayout(run, shard);
    // S3 answers for data that it has taken. Elsewhere a second look cannot take back that an earlier one is distrusted.
    const before = destKind === "s3" ? undefined : readFindings(path, { sha256, records });
    if (before) {
      for (let index = 0; index < records; index++) {
        found[index] = Math.min(found[index] ?? 0, before[index] ?? 0);
      }
    }
    if (hidden.size > 0) await markHidden(shardLayout(run, shard).records, hidden, found);
    writeFindings(path, sha256, found);
  };
  const recordsOf = (shard: number) => meta.shards[shard]?.records ?? 0;
  if (inMemory) await inMemory.forEachShard(shards, recordsOf, write);
  else for (const shard of shards) await write(shard, new Uint8Array(recordsOf(shard)));
}

/** Leaves records to rclone's own comparison that lie below a folder the listing could not see. */
async function markHidden(path: string, hidden: HiddenFolders, found: Uint8Array): Promise<void> {
  let index = 0;
  await forEachBatch(path, (batch) => {
    for (let row = 0; row < batch.count; row++, index++) {
      if (hidden.above(keyText(batch, row))) found[index] = findings.maybeThere;
    }
  });
}
