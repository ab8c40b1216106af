import * as v from "valibot";
import { type ChecksumMode, checksumModes, type Verdict, verdicts } from "../compare/verify-rule.ts";
import { type ListingSetup, listingCpus } from "../listing/request.ts";
import { readUntransferable } from "../manifest/untransferable.ts";
import { remoteContext } from "../rclone/conf.ts";
import { etagsAreNoHashes } from "../rclone/free-hashes.ts";
import type { RootKind } from "../rclone/root.ts";
import { sortUserFlags } from "../rclone/user-flags.ts";
import { type RunConfig, reachOf } from "../run/config.ts";
import type { RunLayout } from "../run/layout.ts";
import { sha256OfFile } from "../system/file-digest.ts";
import { readJsonFile } from "../system/json-file.ts";
import { count } from "../system/schemas.ts";

/** An object that fails a verification, and why. */
export const failureSchema = v.object({
  path: v.string(),
  verdict: v.picklist(verdicts),
  reason: v.string(),
});

/** The schema of verify.json. */
export const verificationSchema = v.object({
  schema: v.literal("xfer.verify.v1"),
  checksum: v.picklist(checksumModes),
  dest_root: v.string(),
  listed: v.object({ objects: count, bytes: count }),
  hash_proven: count,
  size_only: count,
  missing: count,
  differs: count,
  /** How many objects were read at the destination, and how many of them have other content. */
  sampled: count,
  sampled_differs: count,
  /** How many objects at the destination are not in the manifest, which is no failure; null when shards were verified apart. */
  extra: v.nullable(count),
  /** The objects at the source that no record has, since they cannot be carried. manifest.untransferable.jsonl names them. */
  untransferable: v.optional(v.object({ objects: count, bytes: count }), { objects: 0, bytes: 0 }),
  /** Metadata is never compared, only content: sizes, hashes, and between two paths times. */
  metadata_compared: v.optional(v.literal(false), false),
  verified: v.boolean(),
  /** The first of the objects that fail the verification. verify.jsonl has all of them. */
  failures: v.optional(v.array(failureSchema), []),
  manifest_sha256: v.string(),
  verified_at: v.string(),
  xfer_version: v.string(),
  rclone_version: v.nullable(v.string()),
});

/** The content of verify.json: the verification of a run. */
export type Verification = v.InferOutput<typeof verificationSchema>;

/** Reads a verify.json; undefined when there is none, or it is not whole. */
export function readVerification(path: string): Verification | undefined {
  const file = readJsonFile(path, verificationSchema);
  return file.kind === "value" ? file.value : undefined;
}

/** How many failures a verification names itself. */
export const failuresMax = 20;

/** The field in which each verdict is counted. */
export const verdictCounters = {
  "hash-proven": "hash_proven",
  "size-only": "size_only",
  missing: "missing",
  differs: "differs",
} as const satisfies Record<Verdict, keyof Verification>;

/** Whether the destination is listed with hashes. That is so where they cost nothing, and elsewhere when they are required. */
export function listsHashes(checksum: ChecksumMode, config: RunConfig, kind: RootKind): boolean {
  return checksum === "require" || (checksum === "auto" && hashesAreFree(config, kind));
}

/** Whether a listing of the destination has MD5 hashes at no cost: without a request for each object, and without reading any. */
export function hashesAreFree(config: RunConfig, kind: RootKind): boolean {
  if (kind !== "s3") return false;
  const { given } = sortUserFlags(config.rclone_flags, process.env);
  const context = remoteContext(config.rclone_config ?? undefined, config.runtime, given);
  return etagsAreNoHashes(config.dest_root, context) === undefined;
}

/** How a verification of this run lists. */
export function listingSetupOf(run: RunLayout, config: RunConfig, stop: AbortSignal): ListingSetup {
  return {
    ...reachOf(config),
    cpus: listingCpus,
    verbosity: 0,
    runId: config.run_id,
    errorDir: run.dir,
    stop,
  };
}

/** The fields that every verification begins with. */
export async function verificationHead(
  run: RunLayout,
  config: RunConfig,
  options: { version: string; now: Date },
): Promise<
  Pick<Verification, "dest_root" | "untransferable" | "manifest_sha256" | "verified_at" | "xfer_version">
> {
  const { objects, bytes } = await readUntransferable(run.manifest);
  return {
    dest_root: config.dest_root,
    untransferable: { objects, bytes },
    manifest_sha256: await sha256OfFile(run.manifest),
    verified_at: options.now.toISOString(),
    xfer_version: options.version,
  };
}
