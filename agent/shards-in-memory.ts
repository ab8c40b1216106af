import { ManifestComparison } from "../lib/compare/comparison.ts";
import { keyText, recordOfRow } from "../lib/manifest/batch.ts";
import { forEachBatch } from "../lib/manifest/read.ts";
import { type RunLayout, shardLayout } from "../lib/run/layout.ts";
import { findingOf, findings } from "../lib/run/state/findings.ts";
import type { ShardsMeta } from "../lib/shard/meta.ts";
import { checkShardDigest } from "../lib/shard/records.ts";
import { XferError } from "../lib/system/errors.ts";

/** The records of some shards, ready to be compared with a listing. */
export class ShardsInMemory {
  readonly comparison: ManifestComparison;
  /** Records whose key an earlier one has: no listing tells which of the two it holds. */
  readonly #repeated = new Set<number>();
  /** Shards whose file is not the recorded one: their own agents say so. */
  readonly #unreadable = new Set<number>();
  #records = 0;

  private constructor(hashes: boolean) {
    this.comparison = new ManifestComparison({ hashes, times: false });
  }

  /** Reads the records of these shards; `hashes` says whether the listing has MD5 hashes to compare. */
  static async read(
    run: RunLayout,
    meta: ShardsMeta,
    shards: readonly number[],
    hashes: boolean,
  ): Promise<ShardsInMemory> {
    const all = new ShardsInMemory(hashes);
    for (const shard of shards) {
      const path = shardLayout(run, shard).records;
      try {
        await checkShardDigest(path, meta.shards[shard]?.sha256 ?? "");
      } catch (error) {
        if (!(error instanceof XferError)) throw error;
        all.#unreadable.add(shard);
        continue;
      }
      await all.#add(path, hashes);
    }
    return all;
  }

  async #add(path: string, hashes: boolean): Promise<void> {
    await forEachBatch(path, (batch) => {
      for (let row = 0; row < batch.count; row++) {
        const earlier = hashes
          ? this.comparison.addRecord(recordOfRow(batch, row))
          : this.comparison.addSized(keyText(batch, row), batch.size[row] as number);
        if (earlier !== undefined) this.#repeated.add(this.#records);
        this.#records++;
      }
    });
  }

  /** Calls `each` with the findings of every shard, one for each record, in the order in which the shards were read. */
  async forEachShard(
    shards: readonly number[],
    recordsOf: (shard: number) => number,
    each: (shard: number, found: Uint8Array) => Promise<void>,
  ): Promise<void> {
    let record = 0;
    let compared = 0;
    for (const shard of shards) {
      if (this.#unreadable.has(shard)) continue;
      const found = new Uint8Array(recordsOf(shard));
      for (let index = 0; index < found.length; index++, record++) {
        found[index] = this.#repeated.has(record)
          ? findings.toCopy
          : findingOf(this.comparison.outcome(compared++).relation);
      }
      await each(shard, found);
    }
  }
}
