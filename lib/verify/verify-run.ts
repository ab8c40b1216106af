import { type ChecksumMode, verifyVerdict } from "../compare/verify-rule.ts";
import { compareWithListing, type ListedManifest } from "../compare/with-listing.ts";
import { HiddenFolders } from "../listing/hidden-folders.ts";
import { listEntries } from "../listing/list-entries.ts";
import type { ListingEnd } from "../listing/lister.ts";
import { partsDirOf } from "../listing/part-store.ts";
import type { ListingRequest } from "../listing/request.ts";
import { parseRecord } from "../manifest/record.ts";
import { readRemotes } from "../rclone/conf.ts";
import { placeFlags } from "../rclone/place-flags.ts";
import { rootKind } from "../rclone/root.ts";
import { type RunConfig, readRunConfig } from "../run/config.ts";
import { type RunLayout, runLayout } from "../run/layout.ts";
import { requireSameRoots } from "../run/roots.ts";
import { removeIfExists, writeFileDurable } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { formatCount } from "../system/units.ts";
import { changedAtSource, sourceFolder } from "./changed-source.ts";
import { differingContent, Sample, type SampledObject } from "./sample.ts";
import { listingSetupOf, listsHashes, type Verification, verificationHead } from "./verification.ts";
import { type Judge, writeVerdicts } from "./write-verdicts.ts";

/** A run to verify, and how. */
export interface VerifyOptions {
  runDir: string;
  checksum: ChecksumMode;
  /** How many objects, chosen at random, are read at the destination. */
  downloadSample: number;
  /** How many listings of the destination run side by side. */
  listParallel: number;
  version: string;
  now: Date;
  stop: AbortSignal;
  onProgress: (doing: string, objects: number) => void;
}

/**
 * Compares a listing of the destination, 1 request for 1,000 objects, with the run's whole manifest. Writes every object that
 * no hash proves to verify.jsonl, and then the totals to verify.json, which does not exist meanwhile. Between two paths of
 * this host an object with equal size and another time fails if its file at the source has changed. Throws invalid input when
 * there is no manifest, and operation failed when the destination cannot be listed.
 */
export async function verifyRun(options: VerifyOptions): Promise<Verification> {
  const run = runLayout(options.runDir);
  const config = readRunConfig(run.config);
  const compared = await compareWithDestination(run, config, options);
  const { leftOut, version, unlistable } = compared.end;
  const head = await verificationHead(run, config, options);
  const sample = await chooseSample(run, compared, options);
  const differing = await differingContent(run, config, sample);
  const judge = judgeOf(run, compared, {
    stop: options.stop,
    source: sourceFolder(config),
    hidden: new HiddenFolders(unlistable),
    differing,
  });
  const { failures, ...counts } = await writeVerdicts(run.verifyList, compared, options.checksum, judge);
  const result: Verification = {
    schema: "xfer.verify.v1",
    checksum: options.checksum,
    ...counts,
    sampled: sample.length,
    sampled_differs: differing.size,
    extra: compared.extra,
    metadata_compared: false,
    verified: failures.length === 0,
    failures,
    ...head,
    rclone_version: version ?? null,
  };
  if (result.missing > 0 && leftOut > 0) {
    log.warn(
      `the listing follows none of the ${formatCount(leftOut)} symbolic links at the destination: what was copied ` +
        "through them counts as missing (-L in --rclone-flags follows them)",
    );
  }
  writeFileDurable(run.verifyTotals, `${JSON.stringify(result, null, 1)}\n`);
  return result;
}

const stopHint = "nothing is verified; run the same command again";

type ListedDestination = ListedManifest<Pick<ListingEnd, "leftOut" | "version" | "unlistable">>;

/** Compares the run's manifest with a listing of its destination. */
async function compareWithDestination(
  run: RunLayout,
  config: RunConfig,
  options: VerifyOptions,
): Promise<ListedDestination> {
  const kind = rootKind(config.dest_root, readRemotes(config.rclone_config ?? undefined), process.env);
  const hashes = listsHashes(options.checksum, config, kind);
  const times = sourceFolder(config) !== undefined;
  const request: ListingRequest = {
    root: config.dest_root,
    side: "destination",
    kind,
    recursive: true,
    filesOnly: true,
    fastList: true,
    modtime: times ? "server" : "none",
    hash: hashes,
    extraFlags: placeFlags(config.rclone_flags),
  };
  const compared = await compareWithListing(
    run.manifest,
    { hashes, times },
    {
      onRecords: (records) => {
        throwIfStopped(options.stop, stopHint);
        options.onProgress("reading the manifest", records);
      },
      checkRoots: (roots) =>
        requireSameRoots(
          { path: run.manifest, roots },
          { path: run.config, roots: config },
          "shard the manifest and render the run again",
        ),
      list: (take) => {
        removeIfExists(run.verifyTotals);
        return listEntries(listingSetupOf(run, config, options.stop), {
          request,
          listers: options.listParallel,
          partsDir: partsDirOf(run.verifyList),
          onProgress: (objects) => options.onProgress("listing the destination", objects),
          each: take,
        });
      },
    },
  );
  if (!compared) throw invalidInput(`${run.manifest}: the manifest is empty`);
  return compared;
}

async function chooseSample(
  run: RunLayout,
  compared: ListedDestination,
  options: VerifyOptions,
): Promise<SampledObject[]> {
  if (options.downloadSample === 0) return [];
  const sample = new Sample<SampledObject>(options.downloadSample, Math.random);
  await compared.forEachOutcome(({ relation }, record) => {
    if (relation === "missing") return;
    sample.add(() => {
      const { path, hashes: known } = parseRecord(record.line, run.manifest);
      return { path, md5: known?.md5 };
    });
  });
  options.onProgress("reading a sample", sample.items.length);
  return sample.items;
}

/** The facts beside the listing on which a verdict rests. */
interface Evidence {
  stop: AbortSignal;
  /** The source's folder, where it can be looked at from here. */
  source: string | undefined;
  /** Folders at the destination that could not be listed. */
  hidden: HiddenFolders;
  /** Sampled objects whose content differs, and why. */
  differing: ReadonlyMap<string, string>;
}

/**
 * The verdict on one object of a run: the first row that applies.
 *
 * | of the object | verdict |
 * |---|---|
 * | its content was read, and differs | differs |
 * | it is not listed, and its folder could not be listed | missing, and that is the reason |
 * | its size is equal, its time is another, and its file at the source has changed | differs |
 * | anything else | by the listing alone |
 */
function judgeOf(run: RunLayout, compared: ListedDestination, evidence: Evidence): Judge {
  const { stop, source, hidden, differing } = evidence;
  return ({ relation }, record, index) => {
    throwIfStopped(stop, stopHint);
    const reason = differing.size > 0 ? differing.get(record.path) : undefined;
    if (reason !== undefined) return { verdict: "differs", reason };
    const folder = relation === "missing" ? hidden.above(record.path) : undefined;
    if (folder) return { verdict: "missing", reason: `its folder cannot be listed: ${folder.reason}` };
    const isSuspect = relation === "size-equal" && source !== undefined && compared.hasOtherTime(index);
    const changed = isSuspect && changedAtSource(source, parseRecord(record.line, run.manifest));
    return changed ? { verdict: "differs", reason: changed } : verifyVerdict(relation);
  };
}
