import { type ChecksumMode, verifyVerdict } from "../compare/verify-rule.ts";
import { compareWithListing, type ListedManifest } from "../compare/with-listing.ts";
import { Cover, type CoverPlace } from "../listing/cover.ts";
import { listPlaces } from "../listing/list-entries.ts";
import type { ListingEnd } from "../listing/lister.ts";
import type { ListingSetup } from "../listing/request.ts";
import { keyText } from "../manifest/batch.ts";
import { forEachBatch } from "../manifest/read.ts";
import { readRemotes } from "../rclone/conf.ts";
import { placeFlags } from "../rclone/place-flags.ts";
import { rootKind } from "../rclone/root.ts";
import type { RunConfig } from "../run/config.ts";
import { type RunLayout, shardLayout } from "../run/layout.ts";
import { requireSameRoots } from "../run/roots.ts";
import type { ShardEntry } from "../shard/meta.ts";
import { removeIfExists, writeFileDurable } from "../system/durable.ts";
import type { ShardVerification } from "./shard-verification.ts";
import { listingSetupOf, listsHashes } from "./verification.ts";
import { type Judge, writeVerdicts } from "./write-verdicts.ts";

/** The most places that are listed for a shard. */
const placesMax = 16;

/** The shard that one array task verifies, and how. */
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
 * Compares one shard with listings of the few places at the destination that hold its keys. Writes every object that no hash
 * proves to the shard's .verify.jsonl, and then the counts to its .verify. Throws operation failed when a listing fails.
 */
export async function verifyShard(options: VerifyShardOptions): Promise<ShardVerification> {
  const { run, shard, entry, checksum } = options;
  const layout = shardLayout(run, shard);
  removeIfExists(layout.verify);
  const compared = await compareShard(options, layout.records);
  const judge: Judge = ({ relation }) => verifyVerdict(relation);
  const { listed: _, ...verdicts } = await writeVerdicts(layout.verifyList, compared, checksum, judge);
  const result: ShardVerification = {
    schema: "xfer.shard-verify.v1",
    shard,
    sha256: entry.sha256,
    checksum,
    ...verdicts,
    rclone_version: compared?.end.version ?? null,
    verified_at: options.now.toISOString(),
  };
  writeFileDurable(layout.verify, `${JSON.stringify(result)}\n`);
  return result;
}

/** Compares a shard's records with the destination; undefined when the shard has none. */
async function compareShard(
  { run, config, shard, checksum, stop }: VerifyShardOptions,
  records: string,
): Promise<ListedManifest<Pick<ListingEnd, "version">> | undefined> {
  const kind = rootKind(config.dest_root, readRemotes(config.rclone_config ?? undefined), process.env);
  const hashes = listsHashes(checksum, config, kind);
  // The listing has the CPUs of the array task, and an error log of its own.
  const lister: ListingSetup = {
    ...listingSetupOf(run, config, stop),
    cpus: config.cpus_per_task,
    runId: `${config.run_id}_shard_${shard}`,
  };
  return compareWithListing(
    records,
    { hashes, times: false },
    {
      checkRoots: (roots) =>
        requireSameRoots(
          { path: records, roots },
          { path: run.config, roots: config },
          "render the run again",
        ),
      list: async (take) =>
        listPlaces(
          lister,
          {
            root: config.dest_root,
            side: "destination",
            places: await placesOf(records),
            kind,
            recursive: true,
            filesOnly: true,
            fastList: true,
            modtime: "none",
            hash: hashes,
            extraFlags: placeFlags(config.rclone_flags),
          },
          take,
        ),
    },
  );
}

/** A few places whose listings hold all keys of a shard. */
async function placesOf(records: string): Promise<CoverPlace[]> {
  const cover = new Cover(placesMax);
  await forEachBatch(records, (batch) => {
    for (let row = 0; row < batch.count; row++) cover.add(keyText(batch, row));
  });
  return cover.places();
}
