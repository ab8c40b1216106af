import { statSync } from "node:fs";
import { ManifestComparison } from "../lib/compare/comparison.ts";
import { type BucketNeeds, lookForBucket, settleAbsentRoot } from "../lib/listing/bucket.ts";
import { isMarker, type ListingEntry } from "../lib/listing/entry.ts";
import { HiddenFolders } from "../lib/listing/hidden-folders.ts";
import { type ListingEnd, runListing } from "../lib/listing/lister.ts";
import type { OnHindrance } from "../lib/listing/listing-watch.ts";
import { forEachEntry } from "../lib/listing/read-entries.ts";
import { inquiryCommand, type ListingRequest, type ListingSetup } from "../lib/listing/request.ts";
import { keyText, recordOfRow } from "../lib/manifest/batch.ts";
import { forEachBatch } from "../lib/manifest/read.ts";
import { versionOf } from "../lib/rclone/addressable.ts";
import type { Side } from "../lib/rclone/hindrance.ts";
import { inquire } from "../lib/rclone/inquiry.ts";
import { placeFlags } from "../lib/rclone/place-flags.ts";
import { parseRoot, type RemoteContext } from "../lib/rclone/remote-options.ts";
import { type RootKind, rootKind } from "../lib/rclone/root.ts";
import { stepEnvironment } from "../lib/rclone/runtime.ts";
import type { RunConfig } from "../lib/run/config.ts";
import { type RunLayout, shardLayout } from "../lib/run/layout.ts";
import type { Destination } from "../lib/run/state/destination.ts";
import { findingOf, findings, readFindings, writeFindings } from "../lib/run/state/findings.ts";
import type { ShardsMeta } from "../lib/shard/meta.ts";
import { checkShardDigest } from "../lib/shard/records.ts";
import { errnoOf, messageOf, operationFailed, XferError } from "../lib/system/errors.ts";
import { hashesAreFree, listingSetupOf } from "../lib/verify/verification.ts";

/** What a look at the destination is about. */
export interface ProbeOptions {
  run: RunLayout;
  config: RunConfig;
  meta: ShardsMeta;
  destKind: RootKind;
  stop: AbortSignal;
  /** What decides how rclone reaches the destination. */
  context: RemoteContext;
  /** Looks for the bucket alone, since rclone compares every object anyway. */
  bucketOnly?: boolean;
  onHindrance?: OnHindrance;
  limits?: ProbeLimits;
}

/** What a look may take. */
export interface ProbeLimits {
  /** Records that are held in memory at a time, some 60 bytes each; the destination is listed once for so many. */
  recordsMax: number;
  /** Entries that may be listed in vain: so many for each record, or this many where that is more. */
  entriesPerRecord: number;
  entriesFree: number;
}

const limitsDefault: ProbeLimits = { recordsMax: 5_000_000, entriesPerRecord: 50, entriesFree: 1_000_000 };

/**
 * Looks at the destination for all shards of a run, by one listing in one start of rclone, and never by a request for each
 * object. Memory is that of the records. Where something is there, each shard's .found is written before this returns.
 * Where the listing holds far more than the run has, it is not read to its end: the copy compares then.
 * Throws, having found nothing, when the listing does not end well.
 */
export async function probeDestination(options: ProbeOptions): Promise<Destination> {
  const { config, meta, limits = limitsDefault } = options;
  if (options.bucketOnly) return lookAtBucket(options);
  if (isAbsentPath(config.dest_root)) return { found: "nothing", listed: 0, version: null };
  const entriesMax = Math.max(limits.entriesFree, limits.entriesPerRecord * meta.num_records);
  let found: Destination = { found: "nothing", listed: 0, version: null };
  for (const shards of chunksOf(
    meta.shards.map(({ records }) => records),
    limits.recordsMax,
  )) {
    const part = await probeShards(options, shards, entriesMax);
    found = { ...part, version: part.version ?? found.version };
    if (part.found !== "per-shard") break;
  }
  return found;
}

/** Neighbouring shards, of so many records together as may be held, or a single one. */
export function chunksOf(records: readonly number[], recordsMax: number): number[][] {
  const chunks: number[][] = [];
  let sum = 0;
  records.forEach((count, shard) => {
    sum += count;
    const last = chunks.at(-1);
    if (last && sum <= recordsMax) last.push(shard);
    else {
      chunks.push([shard]);
      sum = count;
    }
  });
  return chunks;
}

/** Whether the destination is a path that is not there yet: a container could not mount it. */
function isAbsentPath(root: string): boolean {
  if (parseRoot(root).form !== "posix") return false;
  try {
    statSync(root);
    return false;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) return true;
    throw operationFailed(messageOf(error), { cause: error });
  }
}

/** One listing of the destination, for some shards. */
async function probeShards(
  options: ProbeOptions,
  shards: readonly number[],
  entriesMax: number,
): Promise<Destination> {
  const { stop } = options;
  const enough = new AbortController();
  let records: ShardsInMemory | undefined;
  let listed = 0;
  let end: ListingEnd | undefined;
  try {
    end = await runListing(listerFor(options, AbortSignal.any([stop, enough.signal])), {
      request: requestFor(options),
      empty: "absent-too",
      unlistable: "told",
      consume: async (stream) => {
        const whenThere = async () => {
          records = await ShardsInMemory.read(options, shards);
        };
        const take = (entry: ListingEntry) => {
          if (entry.IsDir || isMarker(entry)) return;
          if (++listed > entriesMax) enough.abort("SIGTERM");
          records?.comparison.addListed(entry);
        };
        const entries = beforeFirstEntry(stream, whenThere);
        const closed = await forEachEntry(entries, take, { mayStayOpen: true });
        return { objects: listed, closed, commit: () => {}, abort: () => {} };
      },
    });
  } catch (error) {
    if (!enough.signal.aborted || stop.aborted) throw error;
  }
  const version = versionOf(end?.version);
  if (enough.signal.aborted) return { found: "too-much", listed, version };
  if (end?.absent) await settleAbsentRoot(listerFor(options, stop), needsOf(options));
  const hidden = new HiddenFolders(end?.unlistable ?? []);
  if (listed === 0 && hidden.size === 0 && shards[0] === 0) return { found: "nothing", listed, version };
  await writeFound(options, shards, records, hidden);
  return { found: "per-shard", listed, version };
}

/** What a run needs of its destination's bucket. */
function needsOf({ config, context }: ProbeOptions): BucketNeeds {
  const { dest_root: root, create_bucket: create, rclone_flags: flags } = config;
  return { root, create, context, extraFlags: placeFlags(flags) };
}

/** Whether the bucket is there: of the objects in it nothing is known, so that each is compared. */
async function lookAtBucket(options: ProbeOptions): Promise<Destination> {
  const lister = listerFor(options, options.stop);
  const end = await lookForBucket(lister, needsOf(options));
  if (end.absent) await settleAbsentRoot(lister, needsOf(options));
  return { found: "too-much", listed: 0, version: versionOf(end.version) };
}

function listerFor({ run, config, onHindrance }: ProbeOptions, stop: AbortSignal): ListingSetup {
  const runId = `${config.run_id}_destination`;
  return { ...listingSetupOf(run, config, stop), cpus: config.cpus_per_task, runId, onHindrance };
}

/** What rclone says of the source or the destination when it does not answer at once; undefined when it does. */
export async function askPlace(
  run: RunLayout,
  config: RunConfig,
  context: RemoteContext,
  side: Side,
  stop: AbortSignal,
): Promise<string | undefined> {
  const root = side === "source" ? config.source_root : config.dest_root;
  const kind = rootKind(root, context.remotes, context.env);
  const request = { ...requestFor({ config, destKind: kind }), root, side };
  const argv = inquiryCommand(listingSetupOf(run, config, stop), request);
  return argv && inquire(argv, stepEnvironment(config.runtime, process.env), stop);
}

function requestFor({ config, destKind }: Pick<ProbeOptions, "config" | "destKind">): ListingRequest {
  return {
    root: config.dest_root,
    side: "destination",
    kind: destKind,
    recursive: true,
    filesOnly: true,
    // rclone prints page by page.
    fastList: true,
    modtime: "none",
    hash: hashesAreFree(config, destKind),
    extraFlags: placeFlags(config.rclone_flags),
  };
}

const openBrace = 0x7b;

/** Passes a listing through, but does something before its first entry, while rclone waits: it starts with a brace. */
async function* beforeFirstEntry(
  stream: AsyncIterable<Uint8Array>,
  act: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let acted = false;
  for await (const chunk of stream) {
    if (!acted && chunk.includes(openBrace)) {
      acted = true;
      await act();
    }
    yield chunk;
  }
}

/** The records of some shards, ready to be compared with a listing. */
class ShardsInMemory {
  readonly comparison: ManifestComparison;
  /** Records whose key an earlier one has: no listing tells which of the two it holds. */
  readonly #repeated = new Set<number>();
  /** Shards whose file is not the recorded one: their own agents say so. */
  readonly #unreadable = new Set<number>();
  #records = 0;

  private constructor(hashes: boolean) {
    this.comparison = new ManifestComparison({ hashes, times: false });
  }

  static async read(
    { run, config, meta, destKind }: ProbeOptions,
    shards: readonly number[],
  ): Promise<ShardsInMemory> {
    const hashes = hashesAreFree(config, destKind);
    const all = new ShardsInMemory(hashes);
    for (const shard of shards) {
      const path = shardLayout(run, shard).records;
      try {
        await checkShardDigest(path, meta.shards[shard]?.sha256 ?? "");
      } catch (error) {
        if (!(error instanceof XferError)) throw error;
        all.#unreadable.add(shard);
        continue;
      }
      await all.#add(path, hashes);
    }
    return all;
  }

  async #add(path: string, hashes: boolean): Promise<void> {
    await forEachBatch(path, (batch) => {
      for (let row = 0; row < batch.count; row++) {
        const earlier = hashes
          ? this.comparison.addRecord(recordOfRow(batch, row))
          : this.comparison.addSized(keyText(batch, row), batch.size[row] as number);
        if (earlier !== undefined) this.#repeated.add(this.#records);
        this.#records++;
      }
    });
  }

  /** Calls `each` with what was found of every shard, in the order in which they were read. */
  async forEachShard(
    shards: readonly number[],
    recordsOf: (shard: number) => number,
    each: (shard: number, found: Uint8Array) => Promise<void>,
  ): Promise<void> {
    let place = 0;
    let index = 0;
    for (const shard of shards) {
      if (this.#unreadable.has(shard)) continue;
      const found = new Uint8Array(recordsOf(shard));
      for (let i = 0; i < found.length; i++, place++) {
        found[i] = this.#repeated.has(place)
          ? findings.toCopy
          : findingOf(this.comparison.outcome(index++).relation);
      }
      await each(shard, found);
    }
  }
}

/** Writes what was found of each shard; what lies below a folder that could not be listed may be there. */
async function writeFound(
  { run, meta, destKind }: ProbeOptions,
  shards: readonly number[],
  inMemory: ShardsInMemory | undefined,
  hidden: HiddenFolders,
): Promise<void> {
  const write = async (shard: number, found: Uint8Array) => {
    const { sha256, records } = meta.shards[shard] ?? { sha256: "", records: 0 };
    const { found: path } = shardLayout(run, shard);
    // A second look cannot take back that an earlier one is distrusted; S3 answers for what it has taken.
    const before = destKind === "s3" ? undefined : readFindings(path, { sha256, records });
    if (before) {
      for (let place = 0; place < records; place++) {
        found[place] = Math.min(found[place] ?? 0, before[place] ?? 0);
      }
    }
    if (hidden.size > 0) await markHidden(shardLayout(run, shard).records, hidden, found);
    writeFindings(path, sha256, found);
  };
  const recordsOf = (shard: number) => meta.shards[shard]?.records ?? 0;
  if (inMemory) await inMemory.forEachShard(shards, recordsOf, write);
  else for (const shard of shards) await write(shard, new Uint8Array(recordsOf(shard)));
}

/** Leaves to rclone's own comparison what the listing could not see. */
async function markHidden(path: string, hidden: HiddenFolders, found: Uint8Array): Promise<void> {
  let place = 0;
  await forEachBatch(path, (batch) => {
    for (let row = 0; row < batch.count; row++, place++) {
      if (hidden.above(keyText(batch, row))) found[place] = findings.maybeThere;
    }
  });
}
