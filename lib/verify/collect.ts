import { isWholeManifest } from "../run/delta-totals.ts";
import { type RunLayout, shardLayout } from "../run/layout.ts";
import type { ShardsMeta } from "../shard/meta.ts";
import { removeIfExists, writeFileDurable, writeWhole } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { fileChunks } from "../system/lines.ts";
import { readShardVerification, type ShardVerification, shardIsVerified } from "./shard-verification.ts";
import { failuresMax, type Verification } from "./verification.ts";

/**
 * Adds up the verifications of all shards into verify.jsonl and verify.json. Throws operation failed when a shard has not been
 * verified, or not with its present content, and names the first of them.
 */
export async function collectVerification(
  run: RunLayout,
  meta: ShardsMeta,
  head: Pick<
    Verification,
    "dest_root" | "untransferable" | "manifest_sha256" | "verified_at" | "xfer_version"
  >,
): Promise<Verification> {
  checkWholeManifest(run, meta);
  const shards = meta.shards.map((entry, shard) => readShardVerification(run, entry, shard));
  const checksums = new Set(shards.map(({ checksum }) => checksum));
  const [checksum = "auto"] = checksums;
  if (checksums.size > 1)
    throw invalidInput(`${run.stateDir}: shards were verified with different --checksum`);
  removeIfExists(run.verifyTotals);
  const sum = (pick: (one: ShardVerification) => number) =>
    shards.reduce((total, one) => total + pick(one), 0);
  await writeWhole(run.verifyList, async (file) => {
    for (const { shard } of shards) {
      for await (const chunk of fileChunks(shardLayout(run, shard).verifyList)) file.write(chunk);
    }
  });
  const result: Verification = {
    schema: "xfer.verify.v1",
    checksum,
    ...head,
    listed: { objects: meta.num_records, bytes: meta.bytes_total },
    hash_proven: sum((one) => one.hash_proven),
    size_only: sum((one) => one.size_only),
    missing: sum((one) => one.missing),
    differs: sum((one) => one.differs),
    sampled: 0,
    sampled_differs: 0,
    extra: null,
    metadata_compared: false,
    verified: shards.every(shardIsVerified),
    failures: shards.flatMap(({ failures }) => failures).slice(0, failuresMax),
    rclone_version: shards.find((one) => one.rclone_version !== null)?.rclone_version ?? null,
  };
  writeFileDurable(run.verifyTotals, `${JSON.stringify(result, null, 1)}\n`);
  return result;
}

/** Throws invalid input for a run whose shards are not the whole manifest: objects that a delta left out would go unseen. */
export function checkWholeManifest(run: RunLayout, meta: ShardsMeta): void {
  if (isWholeManifest(run, meta)) return;
  throw invalidInput(
    `${run.shardsMeta}: the shards are cut from ${meta.input}, not from the whole manifest: use --executor local`,
  );
}
