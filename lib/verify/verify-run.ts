import {
  forEachOutcome,
  loadComparison,
  type ManifestComparison,
  type Outcome,
  type OutcomeRow,
} from "../compare/comparison.ts";
import { type ChecksumMode, isFailure, type Verdict, verdictOn } from "../compare/verify-rule.ts";
import { listEntries } from "../listing/list-entries.ts";
import type { ListingEnd } from "../listing/lister.ts";
import { HiddenFolders } from "../listing/lister-messages.ts";
import { partsDirOf } from "../listing/part-store.ts";
import { parseRecord } from "../manifest/record.ts";
import { readRemotes } from "../rclone/conf.ts";
import { placeFlags } from "../rclone/place-flags.ts";
import { rootKind } from "../rclone/root.ts";
import { type RunConfig, readRunConfig } from "../run/config.ts";
import { type RunLayout, runLayout } from "../run/layout.ts";
import { requireSameRoots } from "../run/roots.ts";
import { AtomicFile, removeIfExists, writeFileDurable } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { formatCount } from "../system/units.ts";
import { changedAtSource, sourceFolder } from "./changed-source.ts";
import { differingContent, Sample, type SampledObject } from "./sample.ts";
import {
  failuresMax,
  listerOf,
  listsHashes,
  type Verification,
  verdictCounters,
  verificationHead,
} from "./verification.ts";

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
  removeIfExists(run.verifyTotals);
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
