import { MissingBucket, missingBucketText } from "../listing/bucket.ts";
import { listEntries } from "../listing/list-entries.ts";
import { partsDirOf } from "../listing/part-store.ts";
import type { ListingRequest, ListingSetup } from "../listing/request.ts";
import { bucketOf } from "../rclone/bucket.ts";
import { readRemotes, remoteContext } from "../rclone/conf.ts";
import { rootKind } from "../rclone/root.ts";
import { checkListedRoot } from "../rclone/root-check.ts";
import { type AtomicFile, writeWhole } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { formatBytes, formatCount, formatObjects } from "../system/units.ts";
import { type CompareMode, deltaVerdict } from "./delta-rule.ts";
import { compareWithListing } from "./with-listing.ts";

/** The manifest and the destination of a delta, and how it is listed. */
export interface DeltaOptions extends ListingSetup {
  manifestPath: string;
  out: string;
  /** The file for the keys that only the destination has, one a line. */
  extraOut: string | undefined;
  compare: CompareMode;
  /** Whether the destination's bucket must exist. Where it may be missing, and is, all records are new. */
  bucket?: "must-be-there" | "may-be-missing";
  fastList: boolean;
  extraLsjsonFlags: readonly string[];
  /** How many listings run side by side. */
  listParallel: number;
  /** Called now and then with the step that is under way, and the objects that it has taken. */
  onProgress: (doing: "reading the manifest" | "listing the destination", objects: number) => void;
}

/** How many of a manifest's records the destination has; schema xfer.delta.v1. */
export interface Delta {
  schema: "xfer.delta.v1";
  manifest: string;
  out: string;
  dest_root: string;
  compare: CompareMode;
  new: number;
  changed: number;
  same: number;
  /** How many keys below the destination root are not in the manifest. */
  extra: number;
  /** How many of the changed count as changed only because a hash or a time is missing on one side. */
  not_comparable: number;
  /** Bytes of new and changed objects. */
  bytes: number;
  /** Bytes of objects that are the same. */
  same_bytes: number;
}

/**
 * Lists the destination, and writes the manifest's records that are missing or differ there, their lines byte for byte. When
 * the destination is empty or absent all records are new. Throws, and leaves no output, when the listing does not end well or
 * the manifest is bad.
 */
export function makeDelta(options: DeltaOptions): Promise<Delta> {
  const { out, extraOut } = options;
  return writeWhole(out, (file) =>
    extraOut === undefined
      ? deltaInto(options, file)
      : writeWhole(extraOut, (extraFile) => deltaInto(options, file, extraFile)),
  );
}

const stopHint = "no delta was written; run the same command again";

async function deltaInto(options: DeltaOptions, file: AtomicFile, extraFile?: AtomicFile): Promise<Delta> {
  const { manifestPath, compare, stop } = options;
  const context = remoteContext(options.configPath, options.runtime);
  let destRoot = "";
  const compared = await compareWithListing(
    manifestPath,
    { hashes: compare === "checksum", times: compare === "mtime" },
    {
      onRecords: (records) => {
        throwIfStopped(stop, stopHint);
        options.onProgress("reading the manifest", records);
      },
      checkRoots: ({ dest_root }) => {
        destRoot = checkListedRoot(`${manifestPath}: dest_root`, dest_root, context);
      },
      list: (take) =>
        listEntries(options, {
          request: destRequest(options, destRoot),
          listers: options.listParallel,
          partsDir: partsDirOf(options.out),
          onProgress: (objects) => options.onProgress("listing the destination", objects),
          each: (entry) => {
            if (!take(entry)) extraFile?.writeText(`${entry.Path}\n`);
          },
        }),
    },
  );
  if (!compared) throw invalidInput(`${manifestPath}: the manifest is empty`);
  const { unlistable, absent } = compared.end;
  const bucket = absent ? bucketOf(destRoot, context) : undefined;
  if (bucket && options.bucket === "must-be-there") throw new MissingBucket(missingBucketText(bucket.name));
  if (unlistable[0]) log.warn(unlistableText(unlistable.length, unlistable[0]));
  const delta = emptyDelta(options, destRoot, compared.extra);
  await compared.forEachOutcome((outcome, record) => {
    throwIfStopped(stop, stopHint);
    const { verdict, notComparable } = deltaVerdict(outcome, compare);
    delta[verdict]++;
    if (notComparable) delta.not_comparable++;
    if (verdict === "same") {
      delta.same_bytes += record.size;
      return;
    }
    delta.bytes += record.size;
    file.write(record.line);
  });
  throwIfStopped(stop, stopHint);
  return delta;
}

/** A delta before any record is looked at. */
function emptyDelta({ manifestPath, out, compare }: DeltaOptions, destRoot: string, extra: number): Delta {
  return {
    schema: "xfer.delta.v1",
    manifest: manifestPath,
    out,
    dest_root: destRoot,
    compare,
    new: 0,
    changed: 0,
    same: 0,
    extra,
    not_comparable: 0,
    bytes: 0,
    same_bytes: 0,
  };
}

function unlistableText(folders: number, first: { path: string; reason: string }): string {
  return (
    `${formatCount(folders)} folders at the destination cannot be listed: what belongs there counts as new; ` +
    `the first: ${first.path}: ${first.reason}`
  );
}

/** A request for a listing of the destination that costs no more than the comparison needs. */
function destRequest({ compare, ...options }: DeltaOptions, root: string): ListingRequest {
  return {
    root,
    side: "destination",
    kind: rootKind(root, readRemotes(options.configPath), process.env),
    recursive: true,
    filesOnly: true,
    fastList: options.fastList,
    modtime: compare === "mtime" ? "server" : "none",
    hash: compare === "checksum",
    extraFlags: options.extraLsjsonFlags,
  };
}

/** A delta in one line. */
export function deltaText(delta: Delta): string {
  const counts = [
    `${formatCount(delta.new)} new`,
    `${formatCount(delta.changed)} changed`,
    `${formatCount(delta.same)} same`,
    `${formatCount(delta.extra)} extra`,
  ];
  return `${counts.join(", ")}; ${formatBytes(delta.bytes)} to copy`;
}

/** The warning for objects that are copied again only because no hash or time tells that they are the same; undefined for none. */
export function notComparableText(delta: Delta): string | undefined {
  if (delta.not_comparable === 0) return undefined;
  const what = delta.compare === "checksum" ? "MD5 hash" : "time";
  return (
    `${formatObjects(delta.not_comparable)} of equal size count as changed: no ${what} is known on one side ` +
    "(--compare size compares sizes alone)"
  );
}
