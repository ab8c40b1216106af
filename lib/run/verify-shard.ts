import { basename } from "node:path";
import * as v from "valibot";
import { forEachOutcome, loadComparison } from "../compare/comparison.ts";
import { type ChecksumMode, checksumModes, isFailure, verdictOn } from "../compare/verify-rule.ts";
import { Cover } from "../listing/cover.ts";
import { listPlaces } from "../listing/list-entries.ts";
import type { Lister } from "../listing/lister.ts";
import { keyText } from "../manifest/batch.ts";
import { forEachBatch } from "../manifest/read.ts";
import { readRemotes } from "../rclone/conf.ts";
import { placeFlags } from "../rclone/place-flags.ts";
import { rootKind } from "../rclone/root.ts";
import type { ShardEntry, ShardsMeta } from "../shard/meta.ts";
import { AtomicFile, readTextIfAny, removeIfAny, writeFileDurable } from "../system/durable.ts";
import { invalidInput, operationFailed } from "../system/errors.ts";
import { fileChunks } from "../system/lines.ts";
import type { RunConfig } from "./config.ts";
import { type RunLayout, shardLayout } from "./layout.ts";
import { requireSameRoots } from "./roots.ts";
import {
  failureSchema,
  failuresMax,
  listerOf,
  listsHashes,
  type Verification,
  verdictCounters,
} from "./verify.ts";

/** Places to list for a shard, at most. */
const rowsMax = 16;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const shardVerificationSchema = v.object({
  schema: v.literal("xfer.shard-verify.v1"),
  shard: count,
  sha256: v.string(),
  checksum: v.picklist(checksumModes),
  hash_proven: count,
  size_only: count,
  missing: count,
  differs: count,
  failures: v.optional(v.array(failureSchema), []),
  rclone_version: v.optional(v.nullable(v.string()), null),
  verified_at: v.string(),
});

type ShardVerification = v.InferOutput<typeof shardVerificationSchema>;

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
  removeIfAny(layout.verify);
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

/** Whether a shard's verification found nothing missing, different, or short of what was asked for. */
export function shardIsVerified(result: ShardVerification): boolean {
  const { missing, differs, size_only: sizeOnly, checksum } = result;
  return missing === 0 && differs === 0 && (sizeOnly === 0 || !isFailure("size-only", checksum));
}

/**
 * Adds up the shards' verifications into verify.jsonl and verify.json. Throws operation failed, naming the first, when a
 * shard has not been verified, or not as it is now.
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
  removeIfAny(run.verifyTotals);
  const sum = (pick: (one: ShardVerification) => number) =>
    shards.reduce((total, one) => total + pick(one), 0);
  const file = new AtomicFile(run.verifyList);
  try {
    for (const { shard } of shards) {
      for await (const chunk of fileChunks(shardLayout(run, shard).verifyList)) file.write(chunk);
    }
  } catch (error) {
    file.abort();
    throw error;
  }
  file.commit();
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

/** Throws invalid input for a run whose shards are not the whole manifest: what a delta left out would go unseen. */
export function checkWholeManifest(run: RunLayout, meta: ShardsMeta): void {
  if (meta.input === basename(run.manifest)) return;
  throw invalidInput(
    `${run.shardsMeta}: the shards are cut from ${meta.input}, not from the whole manifest: use --executor local`,
  );
}

function readShardVerification(run: RunLayout, entry: ShardEntry, shard: number): ShardVerification {
  const path = shardLayout(run, shard).verify;
  const text = readTextIfAny(path);
  const parsed = text === undefined ? undefined : v.safeParse(shardVerificationSchema, parseJson(text));
  if (!parsed?.success || parsed.output.sha256 !== entry.sha256) {
    throw operationFailed(
      `${path}: shard ${shard} is not verified${text === undefined ? " yet" : " as it is now"}: see xfer verify --executor slurm`,
    );
  }
  return parsed.output;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
