import { existsSync, mkdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { objectOverheadBytesDefault } from "../estimate/cost-model.ts";
import { keyText, type RecordBatch } from "../manifest/batch.ts";
import { DistinctKeys, duplicateKeyError, firstDuplicate } from "../manifest/distinct-keys.ts";
import { forEachBatch } from "../manifest/read.ts";
import type { ManifestRecord } from "../manifest/record.ts";
import { removeIfExists, syncDirectory, writeFileDurable } from "../system/durable.ts";
import { invalidInput, operationFailed } from "../system/errors.ts";
import type { ReadProgress } from "../system/line-blocks.ts";
import { formatCount, formatRecords } from "../system/units.ts";
import { type ShardStrategy, type ShardsMeta, shardFileName, shardsMetaName } from "./meta.ts";
import { evenPlan, planShards, type ShardPlan } from "./plan.ts";
import { RangeCutter } from "./range-cutter.ts";
import { ShardStats } from "./stats.ts";
import { type ShardSurvey, SurveyCollector } from "./survey.ts";
import { ShardWriter } from "./writer.ts";

/** A manifest to cut, and into what. */
export interface ShardOptions {
  manifestPath: string;
  outdir: string;
  numShards: number;
  /** Whether fewer records than shards make fewer shards. Otherwise they are invalid input. */
  atMost?: boolean | undefined;
  strategy: ShardStrategy;
  /** The weight of an object beside its bytes; 1 MiB unless given. */
  objectOverheadBytes?: number | undefined;
  /** Records that a shard may have, at most. */
  maxObjects?: number | undefined;
  now: Date;
  /** The manifest is read twice: once to be checked, and once to be cut. */
  onProgress?: ((reading: 1 | 2, progress: ReadProgress) => void) | undefined;
  /** Aborted to stop. Earlier shards are then still there, unless the new ones were just getting their names. */
  stop?: AbortSignal | undefined;
}

/** The shard of each record, asked for in manifest order. */
type Assign = (batch: RecordBatch, row: number, weight: number) => number;

/**
 * Cuts a manifest into shards, whose lines are the manifest's lines byte for byte and in its order. Writes shards.meta.json
 * last. The manifest is read twice, and the first reading checks every line before anything is written. Memory is bounded by
 * the number of shards. Throws invalid input, naming file and line, for a bad record and for a key that is there twice, and
 * for a `maxObjects` that this number of shards cannot keep. Earlier shards are then untouched.
 */
export async function shardManifest(options: ShardOptions): Promise<ShardsMeta> {
  const { manifestPath, outdir, strategy } = options;
  const overhead = options.objectOverheadBytes ?? objectOverheadBytesDefault;
  const survey = await surveyManifest(options, overhead);
  const numShards = Math.min(options.numShards, survey.records);
  const assign = assigner({ ...options, numShards }, survey);
  mkdirSync(outdir, { recursive: true });
  const metaPath = join(outdir, shardsMetaName);
  const writer = new ShardWriter(outdir, numShards);
  const stats = new ShardStats(numShards);
  let digests: readonly string[];
  try {
    await forEachBatch(manifestPath, (batch) => distribute(batch, assign, { writer, stats, overhead }), {
      onProgress: (progress) => options.onProgress?.(2, progress),
      stop: options.stop,
    });
    digests = await writer.finish(options.stop);
    const records = sum(numShards, (shard) => stats.of(shard).records);
    const bytes = sum(numShards, (shard) => stats.of(shard).bytes);
    if (records !== survey.records || bytes !== survey.bytes) {
      throw operationFailed(`${manifestPath}: the manifest was changed while it was sharded: shard it again`);
    }
    // From here on the old set is gone. Without shards.meta.json no reader takes a mixture of both for a whole set.
    if (removeIfExists(metaPath)) syncDirectory(outdir);
    await writer.publish(options.stop);
  } catch (error) {
    writer.abort();
    throw error;
  }
  const meta: ShardsMeta = {
    schema: "xfer.shards.v1",
    // The path is relative to the parent of the shards' folder, so that a run directory can be moved.
    input: relative(dirname(resolve(outdir)), resolve(manifestPath)),
    outdir: basename(resolve(outdir)),
    num_shards: numShards,
    strategy,
    num_records: survey.records,
    bytes_total: survey.bytes,
    created_at: options.now.toISOString(),
    source_root: survey.roots.source_root,
    dest_root: survey.roots.dest_root,
    object_overhead_bytes: overhead,
    weight_total: survey.weight,
    spread: stats.spread(),
    keys_distinct: true,
    shards: digests.map((sha256, shard) => {
      const { records, bytes, weight, largestBytes, directories } = stats.of(shard);
      const file = shardFileName(shard);
      return { shard, file, records, bytes, weight, largest_bytes: largestBytes, directories, sha256 };
    }),
  };
  writeFileDurable(metaPath, `${JSON.stringify(meta, null, 1)}\n`);
  return meta;
}

function sum(count: number, of: (index: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += of(i);
  return total;
}

type RootedSurvey = ShardSurvey & { roots: Pick<ManifestRecord, "source_root" | "dest_root"> };

async function surveyManifest(options: ShardOptions, overhead: number): Promise<RootedSurvey> {
  const { manifestPath, numShards, strategy, maxObjects, stop } = options;
  const survey = new SurveyCollector(strategy === "bytes" ? numShards : 0);
  const hashed = strategy === "hash" && maxObjects !== undefined ? new Float64Array(numShards) : undefined;
  using keys = new DistinctKeys(nearestFolder(options.outdir));
  const first = await forEachBatch(
    manifestPath,
    (batch) => {
      keys.add(batch);
      for (let row = 0; row < batch.count; row++) {
        const size = batch.size[row] as number;
        survey.add(size, size + overhead);
        if (hashed) countOne(hashed, hashShard(batch, row, numShards));
      }
    },
    { onProgress: (progress) => options.onProgress?.(1, progress), stop },
  );
  if (!first) {
    throw invalidInput(`${manifestPath}: the manifest is empty: there is nothing to shard`);
  }
  if (!Number.isSafeInteger(survey.weight)) {
    throw invalidInput(`${manifestPath}: the objects weigh more than 8 PiB together: split the manifest`);
  }
  if (!options.atMost && numShards > survey.records) {
    throw invalidInput(
      `--num-shards is ${numShards}, but ${manifestPath} has ${formatRecords(survey.records)}: ` +
        `use at most ${survey.records}, or auto`,
    );
  }
  const readAgain = (each: (batch: RecordBatch) => void) => forEachBatch(manifestPath, each, { stop });
  const twice = firstDuplicate(await keys.duplicates(readAgain, stop));
  if (twice) throw duplicateKeyError(manifestPath, twice);
  if (maxObjects !== undefined) checkMaxObjects(survey.records, maxObjects, numShards, hashed);
  return Object.assign(survey, { roots: first });
}

/** The folder, or the nearest one above it that exists: no folder is made before the manifest is checked. */
function nearestFolder(path: string): string {
  let folder = resolve(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function countOne(counts: Float64Array, shard: number): void {
  counts[shard] = (counts[shard] as number) + 1;
}

function checkMaxObjects(
  records: number,
  maxObjects: number,
  numShards: number,
  hashed: Float64Array | undefined,
): void {
  const needed = Math.ceil(records / maxObjects);
  if (needed > numShards) {
    throw invalidInput(
      `--max-objects ${maxObjects}: ${formatCount(records)} records need at least ${formatCount(needed)} shards, ` +
        `not ${formatCount(numShards)}`,
    );
  }
  const fullest = hashed?.reduce((most, count) => Math.max(most, count), 0) ?? 0;
  if (fullest > maxObjects) {
    throw invalidInput(
      `--max-objects ${maxObjects}: by their hashes ${formatCount(fullest)} keys fall into one of ` +
        `${formatCount(numShards)} shards: take more shards, or --strategy bytes or count`,
    );
  }
}

/** The rule that distributes the records. Strategy, number of shards and manifest decide it alone. */
function assigner({ strategy, numShards, maxObjects }: ShardOptions, survey: ShardSurvey): Assign {
  if (strategy === "hash") return (batch, row) => hashShard(batch, row, numShards);
  const max = maxObjects ?? Number.POSITIVE_INFINITY;
  const plan =
    strategy === "count" ? evenPlan(numShards, survey.records) : planShards(survey, numShards, max);
  return planAssigner(plan, survey, strategy === "count" ? () => 1 : (weight) => weight, max);
}

function planAssigner(
  plan: ShardPlan,
  survey: ShardSurvey,
  weigh: (weight: number) => number,
  max: number,
): Assign {
  const { placed } = plan;
  const weight = plan.room.reduce((total, room) => total + room, 0);
  const cutter = new RangeCutter(plan, { records: survey.records - placed.size, weight }, max);
  let record = 0;
  return (_batch, _row, weight) => {
    const shard = placed.size === 0 ? undefined : placed.get(record);
    record++;
    return shard ?? cutter.next(weigh(weight));
  };
}

/** The shard of a key by its hash, which does not depend on the other keys. */
function hashShard(batch: RecordBatch, row: number, numShards: number): number {
  return Bun.hash.xxHash32(keyText(batch, row)) % numShards;
}

interface Target {
  writer: ShardWriter;
  stats: ShardStats;
  overhead: number;
}

/** Hands the lines of a batch to their shards. Neighbours in one shard go in one piece. */
function distribute(
  batch: RecordBatch,
  assign: Assign,
  { writer, stats, overhead }: Target,
): Promise<void> | undefined {
  const { bytes, count, lineStart, size } = batch;
  stats.startBatch();
  let rangeStart = 0;
  let rangeShard = -1;
  for (let row = 0; row < count; row++) {
    const weight = (size[row] as number) + overhead;
    const shard = assign(batch, row, weight);
    stats.add(shard, batch, row, weight);
    if (shard === rangeShard) continue;
    const start = lineStart[row] as number;
    if (rangeShard !== -1) writer.add(rangeShard, bytes, rangeStart, start);
    rangeStart = start;
    rangeShard = shard;
  }
  if (rangeShard !== -1) writer.add(rangeShard, bytes, rangeStart, lineStart[count] as number);
  return writer.drain();
}
