import { forEachOutcome, loadComparison } from "../compare/comparison.ts";
import { type ChecksumMode, isFailure, verdictOn } from "../compare/verify-rule.ts";
import { Cover } from "../listing/cover.ts";
import { listPlaces } from "../listing/list-entries.ts";
import type { Lister } from "../listing/lister.ts";
import { keyText } from "../manifest/batch.ts";
import { forEachBatch } from "../manifest/read.ts";
import { readRemotes } from "../rclone/conf.ts";
import { placeFlags } from "../rclone/place-flags.ts";
import { rootKind } from "../rclone/root.ts";
import type { RunConfig } from "../run/config.ts";
import { type RunLayout, shardLayout } from "../run/layout.ts";
import { requireSameRoots } from "../run/roots.ts";
import type { ShardEntry } from "../shard/meta.ts";
import { AtomicFile, removeIfExists, writeFileDurable } from "../system/durable.ts";
import type { ShardVerification } from "./shard-verification.ts";
import { failuresMax, listerOf, listsHashes, verdictCounters } from "./verification.ts";

/** Places to list for a shard, at most. */
const rowsMax = 16;

/** What one array task of a verification works on. */
export interface VerifyShardOptions {
  run: RunLayout;
  config: RunConfig;
  shard: number;
  entry: ShardEntry;
  checksum: ChecksumMode;
  now: Date;
  stop: AbortSignal;
}

/**
 * Compares one shard with listings of the few places at the destination that hold its keys. Writes what no hash proves to
 * the shard's .verify.jsonl and then the counts to its .verify. Throws operation failed when a listing fails.
 */
export async function verifyShard(options: VerifyShardOptions): Promise<ShardVerification> {
  const { run, config, shard, entry, checksum } = options;
  const layout = shardLayout(run, shard);
  removeIfExists(layout.verify);
  const kind = rootKind(config.dest_root, readRemotes(config.rclone_config ?? undefined), process.env);
  // Inside the array task: its CPUs, and an error log of its own.
  const lister: Lister = {
    ...listerOf(run, config, options.stop),
    cpus: config.cpus_per_task,
    runId: `${config.run_id}_shard_${shard}`,
  };
  const hashes = listsHashes(checksum, config, kind);
  const result: ShardVerification = {
    schema: "xfer.shard-verify.v1",
    shard,
    sha256: entry.sha256,
    checksum,
    hash_proven: 0,
    size_only: 0,
    missing: 0,
    differs: 0,
    failures: [],
    rclone_version: null,
    verified_at: options.now.toISOString(),
  };
  const file = new AtomicFile(layout.verifyList);
  try {
    const loaded = await loadComparison(layout.records, { hashes, times: false });
    if (loaded) {
      const { comparison, sourceRoot, destRoot } = loaded;
      requireSameRoots(
        { path: layout.records, roots: { source_root: sourceRoot, dest_root: destRoot } },
        { path: run.config, roots: config },
        "render the run again",
      );
      const cover = new Cover(rowsMax);
      await forEachBatch(layout.records, (batch) => {
        for (let row = 0; row < batch.count; row++) cover.add(keyText(batch, row));
      });
      const request = {
        root: config.dest_root,
        side: "destination",
        places: cover.rows(),
        kind,
        recursive: true,
        filesOnly: true,
        fastList: true,
        modtime: "none",
        hash: hashes,
        extraFlags: placeFlags(config.rclone_flags),
      } as const;
      const { version } = await listPlaces(lister, request, (entry) => comparison.addListed(entry));
      result.rclone_version = version ?? null;
      await forEachOutcome(layout.records, comparison, ({ relation }, { path, size }) => {
        const { verdict, reason } = verdictOn(relation);
        result[verdictCounters[verdict]]++;
        if (isFailure(verdict, checksum) && result.failures.length < failuresMax) {
          result.failures.push({ path, verdict, reason });
        }
        if (verdict !== "hash-proven") {
          file.writeText(`${JSON.stringify({ path, size, verdict, reason })}\n`);
        }
      });
    }
  } catch (error) {
    file.abort();
    throw error;
  }
  file.commit();
  writeFileDurable(layout.verify, `${JSON.stringify(result)}\n`);
  return result;
}
