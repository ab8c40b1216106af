import { statSync } from "node:fs";
import { type BucketNeeds, lookForBucket, settleAbsentRoot } from "../lib/listing/bucket.ts";
import { isMarker, type ListingEntry } from "../lib/listing/entry.ts";
import { HiddenFolders } from "../lib/listing/hidden-folders.ts";
import { type ListingEnd, runListing } from "../lib/listing/lister.ts";
import type { OnHindrance } from "../lib/listing/listing-watch.ts";
import { forEachEntry } from "../lib/listing/read-entries.ts";
import type { ListingSetup } from "../lib/listing/request.ts";
import { versionOf } from "../lib/rclone/addressable.ts";
import { placeFlags } from "../lib/rclone/place-flags.ts";
import { parseRoot, type RemoteContext } from "../lib/rclone/remote-options.ts";
import type { RootKind } from "../lib/rclone/root.ts";
import type { RunConfig } from "../lib/run/config.ts";
import type { RunLayout } from "../lib/run/layout.ts";
import type { Destination } from "../lib/run/state/destination.ts";
import type { ShardsMeta } from "../lib/shard/meta.ts";
import { errnoOf, messageOf, operationFailed } from "../lib/system/errors.ts";
import { hashesAreFree, listingSetupOf } from "../lib/verify/verification.ts";
import { placeRequest } from "./place-request.ts";
import { ShardsInMemory } from "./shards-in-memory.ts";
import { writeFound } from "./write-found.ts";

/** The destination that is looked at, and the run that asks. */
export interface ProbeOptions {
  run: RunLayout;
  config: RunConfig;
  meta: ShardsMeta;
  destKind: RootKind;
  stop: AbortSignal;
  /** The facts that decide how rclone reaches the destination. */
  context: RemoteContext;
  /** Looks for the bucket alone, since rclone compares every object anyway. */
  bucketOnly?: boolean;
  onHindrance?: OnHindrance;
  limits?: ProbeLimits;
}

/** How much a look may take. */
export interface ProbeLimits {
  /** Records held in memory at a time, some 60 bytes each; the destination is listed once for that many. */
  recordsMax: number;
  /** Listed entries for each record after which the listing is given up, or `entriesFree` where that is more. */
  entriesPerRecord: number;
  entriesFree: number;
}

const limitsDefault: ProbeLimits = { recordsMax: 5_000_000, entriesPerRecord: 50, entriesFree: 1_000_000 };

/**
 * Looks at the destination for all shards of a run, by one listing in one start of rclone, and never by a request for each
 * object. The look takes memory for its records, not for its listing. Where something is there, each shard's .found is
 * written before this returns. A listing of far more than the run has is not read to its end: then the copy compares.
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

/** Chunks of neighbouring shards with at most `recordsMax` records each; a larger shard is a chunk by itself. */
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
    throw operationFailed(messageOf(error));
  }
}

/** Looks at the destination for some shards, by one listing. */
async function probeShards(
  options: ProbeOptions,
  shards: readonly number[],
  entriesMax: number,
): Promise<Destination> {
  const { run, config, meta, stop, destKind } = options;
  const enough = new AbortController();
  let records: ShardsInMemory | undefined;
  let listed = 0;
  let end: ListingEnd | undefined;
  try {
    end = await runListing(listerFor(options, AbortSignal.any([stop, enough.signal])), {
      request: placeRequest(config, "destination", destKind),
      empty: "absent-too",
      unlistable: "told",
      consume: async (stream) => {
        const whenThere = async () => {
          records = await ShardsInMemory.read(run, meta, shards, hashesAreFree(config, destKind));
        };
        const take = (entry: ListingEntry) => {
          if (entry.IsDir || isMarker(entry)) return;
          if (++listed > entriesMax) enough.abort("SIGTERM");
          records?.comparison.addListed(entry);
        };
        const entries = beforeFirstEntry(stream, whenThere);
        const closed = await forEachEntry(entries, take, { mayStayOpen: true });
        return { objects: listed, closed };
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

/** How a run needs its destination's bucket. */
function needsOf({ config, context }: ProbeOptions): BucketNeeds {
  const { dest_root: root, create_bucket: create, rclone_flags: flags } = config;
  return { root, create, context, extraFlags: placeFlags(flags) };
}

/** Looks whether the bucket is there. Nothing is known of the objects in it, and rclone compares each of them. */
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

const openBrace = 0x7b;

/** Passes a listing through, but waits for `act` before its first entry, which starts with a brace. */
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
