import * as v from "valibot";
import {
  forEachOutcome,
  loadComparison,
  type ManifestComparison,
  type Outcome,
  type OutcomeRow,
} from "../compare/comparison.ts";
import {
  type ChecksumMode,
  checksumModes,
  isFailure,
  type Verdict,
  verdictOn,
  verdicts,
} from "../compare/verify-rule.ts";
import { listEntries } from "../listing/list-entries.ts";
import { type Lister, type ListingEnd, listingCpus } from "../listing/lister.ts";
import { HiddenFolders } from "../listing/lister-messages.ts";
import { partsDirOf } from "../listing/part-store.ts";
import { parseRecord } from "../manifest/record.ts";
import { readUntransferable } from "../manifest/untransferable.ts";
import { readRemotes, remoteContext } from "../rclone/conf.ts";
import { etagsAreNoHashes } from "../rclone/free-hashes.ts";
import { placeFlags } from "../rclone/place-flags.ts";
import { type RootKind, rootKind } from "../rclone/root.ts";
import { sortUserFlags } from "../rclone/user-flags.ts";
import { AtomicFile, readTextIfAny, removeIfAny, writeFileDurable } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { sha256OfFile } from "../system/file-digest.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { formatCount } from "../system/units.ts";
import { changedAtSource, sourceFolder } from "../verify/changed-source.ts";
import { type RunConfig, reachOf, readRunConfig } from "./config.ts";
import { differingContent, Sample, type SampledObject } from "./download-sample.ts";
import { type RunLayout, runLayout } from "./layout.ts";
import { requireSameRoots } from "./roots.ts";

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

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** An object that fails a verification, and why. */
export const failureSchema = v.object({
  path: v.string(),
  verdict: v.picklist(verdicts),
  reason: v.string(),
});

const verificationSchema = v.object({
  schema: v.literal("xfer.verify.v1"),
  checksum: v.picklist(checksumModes),
  dest_root: v.string(),
  listed: v.object({ objects: count, bytes: count }),
  hash_proven: count,
  size_only: count,
  missing: count,
  differs: count,
  /** Objects that were read at the destination, and those of them whose content differs. */
  sampled: count,
  sampled_differs: count,
  /** Objects at the destination that the manifest does not name, no failure; null when shards were verified apart. */
  extra: v.nullable(count),
  /** What is at the source and in no record, since it cannot be carried: manifest.untransferable.jsonl names it. */
  untransferable: v.optional(v.object({ objects: count, bytes: count }), { objects: 0, bytes: 0 }),
  /** Content alone is compared: sizes, hashes, and between two paths times. */
  metadata_compared: v.optional(v.literal(false), false),
  verified: v.boolean(),
  /** The first of the objects that fail it; verify.jsonl has all. */
  failures: v.optional(v.array(failureSchema), []),
  manifest_sha256: v.string(),
  verified_at: v.string(),
  xfer_version: v.string(),
  rclone_version: v.nullable(v.string()),
});

/** What a verification found. */
export type Verification = v.InferOutput<typeof verificationSchema>;

/** Reads a verify.json; undefined when there is none that is whole. */
export function readVerification(path: string): Verification | undefined {
  const text = readTextIfAny(path);
  try {
    return text === undefined ? undefined : v.parse(verificationSchema, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** How many failures are named in a verification itself. */
export const failuresMax = 20;

/** Where each verdict is counted. */
export const verdictCounters = {
  "hash-proven": "hash_proven",
  "size-only": "size_only",
  missing: "missing",
  differs: "differs",
} as const satisfies Record<Verdict, keyof Verification>;

/**
 * Compares a listing of the destination, 1 request for 1,000 objects, with the run's whole manifest. Writes every object
 * that no hash proves to verify.jsonl, and then the totals to verify.json, which is gone while this runs. Between two paths
 * of this host an object of equal size whose time is another fails when the source's is another, too.
 * Throws invalid input when there is no manifest, and operation failed when the destination cannot be listed.
 */
export async function verifyRun(options: VerifyOptions): Promise<Verification> {
  const run = runLayout(options.runDir);
  const config = readRunConfig(run.config);
  const listed = await compareWithDestination(run, config, options);
  const { comparison } = listed;
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
    metadata_compared: false,
    verified: true,
    failures: [],
    ...(await verificationHead(run, config, options)),
    rclone_version: listed.version ?? null,
  };
  const sample = await chooseSample(run, comparison, options);
  const differing = await differingContent(run, config, sample);
  result.sampled = sample.length;
  result.sampled_differs = differing.size;
  const source = sourceFolder(config);
  const hidden = new HiddenFolders(listed.unlistable);
  const judge: Judge = ({ relation }, record, index) => {
    const reason = differing.size > 0 ? differing.get(record.path) : undefined;
    if (reason !== undefined) return { verdict: "differs", reason };
    const folder = relation === "missing" ? hidden.above(record.path) : undefined;
    if (folder) return { verdict: "missing", reason: `its folder cannot be listed: ${folder.reason}` };
    const isSuspect = relation === "size-equal" && comparison.hasOtherTime(index) && source !== undefined;
    const changed = isSuspect && changedAtSource(source, parseRecord(record.line, run.manifest));
    return changed ? { verdict: "differs", reason: changed } : verdictOn(relation);
  };
  await writeVerdicts(run, comparison, options, judge, result);
  if (result.missing > 0 && listed.leftOut > 0) {
    log.warn(
      `the listing follows none of the ${formatCount(listed.leftOut)} symbolic links at the destination: what was copied ` +
        "through them counts as missing (-L in --rclone-flags follows them)",
    );
  }
  writeFileDurable(run.verifyTotals, `${JSON.stringify(result, null, 1)}\n`);
  return result;
}

const goOn = (stop: AbortSignal) => throwIfStopped(stop, "nothing is verified; run the same command again");

/** Reads the manifest, and joins it with a listing of the destination. */
async function compareWithDestination(
  run: RunLayout,
  config: RunConfig,
  options: VerifyOptions,
): Promise<{ comparison: ManifestComparison } & Pick<ListingEnd, "leftOut" | "version" | "unlistable">> {
  const kind = rootKind(config.dest_root, readRemotes(config.rclone_config ?? undefined), process.env);
  const hashes = listsHashes(options.checksum, config, kind);
  const times = sourceFolder(config) !== undefined;
  const loaded = await loadComparison(run.manifest, { hashes, times }, (records) => {
    goOn(options.stop);
    options.onProgress("reading the manifest", records);
  });
  if (!loaded) throw invalidInput(`${run.manifest}: the manifest is empty`);
  const { comparison, sourceRoot, destRoot } = loaded;
  requireSameRoots(
    { path: run.manifest, roots: { source_root: sourceRoot, dest_root: destRoot } },
    { path: run.config, roots: config },
    "shard the manifest and render the run again",
  );
  removeIfAny(run.verifyTotals);
  const { leftOut, version, unlistable } = await listEntries(listerOf(run, config, options.stop), {
    request: {
      root: config.dest_root,
      side: "destination",
      kind,
      recursive: true,
      filesOnly: true,
      fastList: true,
      modtime: times ? "server" : "none",
      hash: hashes,
      extraFlags: placeFlags(config.rclone_flags),
    },
    listers: options.listParallel,
    partsDir: partsDirOf(run.verifyList),
    onProgress: (objects) => options.onProgress("listing the destination", objects),
    each: (entry) => comparison.addListed(entry),
  });
  return { comparison, leftOut, version, unlistable };
}

async function chooseSample(
  run: RunLayout,
  comparison: ManifestComparison,
  options: VerifyOptions,
): Promise<SampledObject[]> {
  if (options.downloadSample === 0) return [];
  const sample = new Sample<SampledObject>(options.downloadSample, Math.random);
  await forEachOutcome(run.manifest, comparison, ({ relation }, record) => {
    if (relation === "missing") return;
    sample.add(() => {
      const { path, hashes: known } = parseRecord(record.line, run.manifest);
      return { path, md5: known?.md5 };
    });
  });
  options.onProgress("reading a sample", sample.items.length);
  return sample.items;
}

/** The verdict on one object, and why it is no better. */
type Judge = (outcome: Outcome, record: OutcomeRow, index: number) => { verdict: Verdict; reason: string };

/** Asks for the verdict on every object, counts it in `result`, and writes down those that no hash proves. */
async function writeVerdicts(
  run: RunLayout,
  comparison: ManifestComparison,
  options: VerifyOptions,
  judge: Judge,
  result: Verification,
): Promise<void> {
  const file = new AtomicFile(run.verifyList);
  try {
    await forEachOutcome(run.manifest, comparison, (outcome, record, index) => {
      goOn(options.stop);
      const { verdict, reason } = judge(outcome, record, index);
      const { path, size } = record;
      result.listed.objects++;
      result.listed.bytes += size;
      result[verdictCounters[verdict]]++;
      if (isFailure(verdict, options.checksum)) {
        result.verified = false;
        if (result.failures.length < failuresMax) result.failures.push({ path, verdict, reason });
      }
      if (verdict !== "hash-proven") {
        file.writeText(`${JSON.stringify({ path, size, verdict, reason })}\n`);
      }
    });
  } catch (error) {
    file.abort();
    throw error;
  }
  file.commit();
}

/** Whether the destination's listing has hashes: on S3, where they cost nothing; elsewhere only when they are required. */
export function listsHashes(checksum: ChecksumMode, config: RunConfig, kind: RootKind): boolean {
  return checksum === "require" || (checksum === "auto" && hashesAreFree(config, kind));
}

/** Whether a listing of the destination has MD5 hashes without a request for each object, and without reading it. */
export function hashesAreFree(config: RunConfig, kind: RootKind): boolean {
  if (kind !== "s3") return false;
  const { given } = sortUserFlags(config.rclone_flags, process.env);
  const context = remoteContext(config.rclone_config ?? undefined, config.runtime, given);
  return etagsAreNoHashes(config.dest_root, context) === undefined;
}

/** How a verification lists, from the run's configuration. */
export function listerOf(run: RunLayout, config: RunConfig, stop: AbortSignal): Lister {
  return {
    ...reachOf(config),
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
