import * as v from "valibot";
import { checksumModes, isFailure } from "../compare/verify-rule.ts";
import { type RunLayout, shardLayout } from "../run/layout.ts";
import type { ShardEntry } from "../shard/meta.ts";
import { operationFailed } from "../system/errors.ts";
import { readJsonFile } from "../system/json-file.ts";
import { count } from "../system/schemas.ts";
import { failureSchema } from "./verification.ts";

/** The schema of a shard's .verify. */
export const shardVerificationSchema = v.object({
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

/** The content of a shard's .verify: the verification of one shard. */
export type ShardVerification = v.InferOutput<typeof shardVerificationSchema>;

/** Whether no object of a shard is missing or differs, nor lacks a hash where one is required. */
export function shardIsVerified(result: ShardVerification): boolean {
  const { missing, differs, size_only: sizeOnly, checksum } = result;
  return missing === 0 && differs === 0 && (sizeOnly === 0 || !isFailure("size-only", checksum));
}

/** Reads a shard's verification. Throws operation failed when there is none, or it is of other content. */
export function readShardVerification(run: RunLayout, entry: ShardEntry, shard: number): ShardVerification {
  const path = shardLayout(run, shard).verify;
  const file = readJsonFile(path, shardVerificationSchema);
  if (file.kind !== "value" || file.value.sha256 !== entry.sha256) {
    throw operationFailed(
      `${path}: shard ${shard} is not verified${file.kind === "none" ? " yet" : " as it is now"}: see xfer verify --executor slurm`,
    );
  }
  return file.value;
}
