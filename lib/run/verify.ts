import { forEachOutcome, loadComparison } from "../manifest/compare.ts";
import { parseRecord } from "../manifest/record.ts";
import { type ChecksumMode, isFailure, type Verdict, verdictOn } from "../manifest/verdict.ts";
import { placeFlags } from "../rclone/place-flags.ts";
import { type RootKind, rootKind } from "../rclone/remote.ts";
import { AtomicFile, removeIfAny, writeFileDurable } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { sha256OfFile } from "../system/file-digest.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { type RunConfig, readRunConfig } from "./config.ts";
import { differingContent, Sample, type SampledObject } from "./download-sample.ts";
import { type RunLayout, runLayout } from "./layout.ts";
import { listEntries } from "./list-entries.ts";
import { type Lister, listingCpus } from "./lister.ts";
import { partsDirOf } from "./part-store.ts";
import { readRemotes } from "./remotes.ts";
import { runStep } from "./step.ts";

/** What a verification is asked to do. */
export interface VerifyOptions {
  runDir: string;
  checksum: ChecksumMode;
  /** How many objects, chosen at random, are read at the destination and compared byte for byte. */
  downloadSample: number;
  /** Listings of the destination that run side by side. */
  listParallel: number;
  version: string;
  now: Date;
  stop: AbortSignal;
  onProgress: (doing: string, objects: number) => void;
}

/** What a verification found; schema xfer.verify.v1. */
export interface Verification {
  schema: "xfer.verify.v1";
  checksum: ChecksumMode;
  dest_root: string;
  listed: { objects: number; bytes: number };
  hash_proven: number;
  size_only: number;
  missing: number;
  differs: number;
  /** Objects that were read at the destination, and those of them whose content differs. */
  sampled: number;
  sampled_differs: number;
  /** Objects at the destination that the manifest does not name, no failure; null when shards were verified apart. */
  extra: number | null;
  verified: boolean;
  manifest_sha256: string;
  verified_at: string;
  xfer_version: string;
  rclone_version: string | null;
}

/** Where each verdict is counted. */
export const verdictCounters = {
  "hash-proven": "hash_proven",
  "size-only": "size_only",
  missing: "missing",
  differs: "differs",
} as const satisfies Record<Verdict, keyof Verification>;

/**
 * Compares a listing of the destination, 1 request for 1,000 objects, with the run's whole manifest. Writes every object
 * that no hash proves to verify.jsonl, and then the totals to verify.json, which is gone while this runs.
 * Throws invalid input when there is no manifest, and operation failed when the destination cannot be listed.
 */
export async function verifyRun(options: VerifyOptions): Promise<Verification> {
  const run = runLayout(options.runDir);
  const config = readRunConfig(run.config);
  const goOn = () => throwIfStopped(options.stop, "nothing is verified; run the same command again");
  const kind = rootKind(config.dest_root, readRemotes(config.rclone_config ?? undefined), process.env);
  const hashes = listsHashes(options.checksum, kind);
  const loaded = await loadComparison(run.manifest, { hashes, times: false }, (records) => {
    goOn();
    options.onProgress("reading the manifest", records);
  });
  if (!loaded) throw invalidInput(`${run.manifest}: the manifest is empty`);
  const { comparison } = loaded;
  removeIfAny(run.verifyTotals);
  await listEntries(listerOf(run, config, options.stop), {
    request: {
      root: config.dest_root,
      kind,
      recursive: true,
      filesOnly: true,
      fastList: true,
      modtime: "none",
      hash: hashes,
      extraFlags: placeFlags(config.rclone_flags),
    },
    listers: options.listParallel,
    partsDir: partsDirOf(run.verifyList),
    onProgress: (objects) => options.onProgress("listing the destination", objects),
    each: (entry) => comparison.addListed(entry),
  });
  const result: Verification = {
    schema: "xfer.verify.v1",
    checksum: options.checksum,
    listed: { objects: 0, bytes: 0 },
    hash_proven: 0,
    size_only: 0,
    missing: 0,
    differs: 0,
    sampled: 0,
    sampled_differs: 0,
    extra: comparison.extra,
    verified: true,
    ...(await verificationHead(run, config, options)),
  };
  const sample = new Sample<SampledObject>(options.downloadSample, Math.random);
  if (options.downloadSample > 0) {
    await forEachOutcome(run.manifest, comparison, ({ relation }, record) => {
      if (relation === "missing") return;
      sample.add(() => {
        const { path, hashes: known } = parseRecord(record.line, run.manifest);
        return { path, md5: known?.md5 };
      });
    });
    options.onProgress("reading a sample", sample.items.length);
  }
  const differing = await differingContent(run, config, sample.items);
  result.sampled = sample.items.length;
  result.sampled_differs = differing.size;
  const file = new AtomicFile(run.verifyList);
  try {
    await forEachOutcome(run.manifest, comparison, ({ relation }, record) => {
      goOn();
      const { verdict, reason } =
        differing.size > 0 && differing.has(record.path)
          ? ({ verdict: "differs", reason: "other content at the destination, read as a sample" } as const)
          : verdictOn(relation);
      result.listed.objects++;
      result.listed.bytes += record.size;
      result[verdictCounters[verdict]]++;
      if (isFailure(verdict, options.checksum)) result.verified = false;
      if (verdict !== "hash-proven") {
        const { path, size } = record;
        file.writeText(`${JSON.stringify({ path, size, verdict, reason })}\n`);
      }
    });
  } catch (error) {
    file.abort();
    throw error;
  }
  file.commit();
  writeFileDurable(run.verifyTotals, `${JSON.stringify(result, null, 1)}\n`);
  return result;
}

/** Whether the listing has hashes: on S3 they cost nothing; anywhere else the destination is read to make them. */
export function listsHashes(checksum: ChecksumMode, kind: RootKind): boolean {
  return checksum === "require" || (checksum === "auto" && kind === "s3");
}

/** How a verification lists, from the run's configuration. */
export function listerOf(run: RunLayout, config: RunConfig, stop: AbortSignal): Lister {
  return {
    runtime: config.runtime,
    image: config.rclone_image ?? undefined,
    configPath: config.rclone_config ?? undefined,
    confInContainer: config.rclone_conf_in_container,
    pyxisExtra: config.pyxis_extra,
    cpus: listingCpus,
    verbosity: 0,
    runId: config.run_id,
    errorDir: run.dir,
    stop,
  };
}

/** What every verification says of itself. */
export async function verificationHead(
  run: RunLayout,
  config: RunConfig,
  options: { version: string; now: Date },
): Promise<
  Pick<Verification, "dest_root" | "manifest_sha256" | "verified_at" | "xfer_version" | "rclone_version">
> {
  return {
    dest_root: config.dest_root,
    manifest_sha256: await sha256OfFile(run.manifest),
    verified_at: options.now.toISOString(),
    xfer_version: options.version,
    rclone_version: await rcloneVersion(config),
  };
}

/** rclone's version where the run's runtime runs it: "1.60.1-DEV"; null when it does not say. */
async function rcloneVersion(config: RunConfig): Promise<string | null> {
  const { stdout } = await runStep(config, {
    argv: () => ["rclone", "version"],
    readOnly: [],
    writable: [],
    env: process.env,
  });
  return /^rclone v(\S+)/.exec(stdout)?.[1] ?? null;
}
