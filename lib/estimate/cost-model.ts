import { formatBytes, formatCount, formatDuration } from "../system/units.ts";

const MiB = 1024 * 1024;
const TiB = 1024 ** 4;

/**
 * The cost model: an array task moves so many bytes a second, and starts so many objects a second; an object costs its
 * bytes and its start. All of it can be measured on a cluster and differs: it is printed with what rests on it.
 */
const taskBytesPerSecond = 500 * MiB;
const taskObjectsPerSecond = 500;
/** What an object costs beside its bytes, as bytes: what a task moves in the time that it takes to start one. */
export const objectOverheadBytesDefault = taskBytesPerSecond / taskObjectsPerSecond;
/** From sbatch to the first byte: the queue's turn, the container, rclone. */
const taskStartSeconds = 15;
/** A shard that takes longer makes a lost node expensive; a shorter one than `shardSecondsMin` is mostly its start. */
const shardSecondsTarget = 1800;
const shardSecondsMin = 60;
/** An agent holds the keys of its shard in memory. */
const shardObjectsMax = 1_000_000;
/** Shards for each place in the array, beyond which more of them level nothing. */
const wavesMax = 4;

/** A data set, as far as its cost depends on it. */
export interface DataSet {
  objects: number;
  bytes: number;
}

/** Where the transfer will run. */
export interface ClusterAssumptions {
  cpusPerTask: number;
  arrayConcurrency: number;
  /** CPUs that the array may take in all; undefined for no limit. */
  coreBudget: number | undefined;
  maxShardBytesTb: number;
  /** The least work that a shard is worth; a minute unless given. */
  minShardSeconds?: number | undefined;
}

/** The least work of a shard whose agent starts at once on this machine: no queue and no container. */
export const minShardSecondsHere = 5;

export const clusterDefaults: ClusterAssumptions = {
  cpusPerTask: 4,
  arrayConcurrency: 64,
  coreBudget: undefined,
  maxShardBytesTb: 10,
};

/** A number of shards, why, and what was assumed. */
export interface ShardSuggestion {
  shards: number;
  reasoning: string;
  assumptions: Record<string, number | null>;
}

/** Array tasks that run at a time. */
function placesOf({ arrayConcurrency, coreBudget, cpusPerTask }: ClusterAssumptions): number {
  const byCores = coreBudget === undefined ? Number.POSITIVE_INFINITY : Math.floor(coreBudget / cpusPerTask);
  return Math.max(1, Math.min(arrayConcurrency, byCores));
}

/** Seconds of one task's work. */
function workSeconds({ objects, bytes }: DataSet): number {
  return bytes / taskBytesPerSecond + objects / taskObjectsPerSecond;
}

/**
 * How many shards a data set should be cut into: enough for the bytes and objects that one may have, enough to keep every
 * place of the array busy with at least a minute of work (or what the assumptions say), and shards of half an hour up to four for each place.
 */
export function suggestShards(data: DataSet, cluster: ClusterAssumptions): ShardSuggestion {
  const places = placesOf(cluster);
  const secondsMin = cluster.minShardSeconds ?? shardSecondsMin;
  const seconds = workSeconds(data);
  const byBytes = Math.ceil(data.bytes / (cluster.maxShardBytesTb * TiB));
  const byObjects = Math.ceil(data.objects / shardObjectsMax);
  const byTime = Math.min(wavesMax * places, Math.ceil(seconds / shardSecondsTarget));
  const byPlaces = Math.min(places, Math.ceil(seconds / secondsMin));
  const needed = Math.max(1, byBytes, byObjects, byTime, byPlaces);
  // The last wave is then as full as the others.
  const level = needed > places ? Math.ceil(needed / places) * places : needed;
  const shards = Math.max(1, Math.min(level, data.objects));
  const reasoning = [
    `shards_by_bytes=${byBytes} (${formatBytes(data.bytes)} / ${cluster.maxShardBytesTb} TiB)`,
    `shards_by_objects=${byObjects} (${formatCount(data.objects)} / ${formatCount(shardObjectsMax)})`,
    `shards_by_time=${byTime} (${formatDuration(seconds)} of one task's work / ${formatDuration(shardSecondsTarget)}, at most ${wavesMax} x ${places})`,
    `shards_by_concurrency=${byPlaces} (${places} at a time, each with at least ${formatDuration(secondsMin)} of work)`,
    `chose ${shards}: the largest${level > needed ? `, rounded up to full waves of ${places}` : ""}${shards < level ? ", but one object a shard" : ""}`,
  ].join("; ");
  const assumptions = {
    total_bytes: data.bytes,
    total_files: data.objects,
    cpus_per_task: cluster.cpusPerTask,
    array_concurrency: cluster.arrayConcurrency,
    core_budget: cluster.coreBudget ?? null,
    max_shard_bytes_tb: cluster.maxShardBytesTb,
    max_shard_objects: shardObjectsMax,
    task_bytes_per_second: taskBytesPerSecond,
    task_objects_per_second: taskObjectsPerSecond,
    task_start_seconds: taskStartSeconds,
    target_shard_seconds: shardSecondsTarget,
    min_shard_seconds: secondsMin,
  };
  return { shards, reasoning, assumptions };
}

/** Seconds until the array has copied the data set in so many level shards, where the network is no limit. */
export function arraySeconds(data: DataSet, shards: number, cluster: ClusterAssumptions): number {
  const waves = Math.ceil(shards / placesOf(cluster));
  return waves * (taskStartSeconds + workSeconds(data) / shards);
}

/** S3 requests of a transfer from S3 to S3. */
export interface RequestCounts {
  list: number;
  get: number;
  put: number;
  /** Parts of objects above 200 MiB, and the two requests that begin and end such an upload. */
  part_put: number;
  part_post: number;
}

const partBytes = 5 * MiB;
const listPage = 1000;

/**
 * The requests of a transfer: one LIST for 1,000 objects, one GET and one PUT each; objects above 200 MiB are put in
 * parts of 5 MiB, rclone's defaults. Parts are exact to half a part for each such object; parts that rclone enlarges to
 * keep them below 10,000 are not taken into account.
 */
export function requestsOf(data: DataSet & { inParts: number; bytesInParts: number }): RequestCounts {
  return {
    list: Math.max(1, Math.ceil(data.objects / listPage)),
    get: data.objects,
    put: data.objects - data.inParts,
    part_put: Math.round(data.bytesInParts / partBytes + data.inParts / 2),
    part_post: 2 * data.inParts,
  };
}
