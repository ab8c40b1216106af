import type { ShardStrategy } from "./shards-meta.ts";

/** What the first pass over a manifest finds. */
export interface ManifestTotals {
  records: number;
  bytes: number;
}

/** Says which shard the next record belongs to; called once for each record, in manifest order. */
export type ShardAssigner = (record: { path: string; size: number }) => number;

/**
 * The rule that distributes a manifest's records over shards. It is deterministic:
 *
 * | strategy | shard of a record |
 * |---|---|
 * | bytes | runs of the manifest, cut where a record's middle byte crosses a multiple of the mean |
 * | count | runs of the manifest of equal length, to within one record |
 * | hash  | xxHash32 of the key: the same key is in the same shard whatever else is listed |
 *
 * A manifest whose objects are all empty has no bytes to balance: `bytes` is then `count`.
 */
export function shardAssigner(
  strategy: ShardStrategy,
  numShards: number,
  totals: ManifestTotals,
): ShardAssigner {
  if (strategy === "hash") return ({ path }) => Bun.hash.xxHash32(path) % numShards;
  let recordsBefore = 0;
  let bytesBefore = 0;
  const byCount = strategy === "count" || totals.bytes === 0;
  return ({ size }) => {
    const share = byCount ? recordsBefore / totals.records : (bytesBefore + size / 2) / totals.bytes;
    recordsBefore++;
    bytesBefore += size;
    return Math.min(numShards - 1, Math.floor(share * numShards));
  };
}
