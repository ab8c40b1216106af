import { formatBytes, formatCount, formatDuration } from "../system/units.ts";

const MiB = 1024 * 1024;
const TiB = 1024 ** 4;

/**
 * The cost model: an array task moves this many bytes and starts this many objects a second. An object costs its bytes and
 * its start. The numbers differ from cluster to cluster and can be measured there, so that all that rests on them is printed
 * with them.
 */
const taskBytesPerSecond = 500 * MiB;
const taskObjectsPerSecond = 500;
/** The cost of an object's start, in bytes: as many as a task moves in the time that it takes to start one object. */
export const objectOverheadBytesDefault = taskBytesPerSecond / taskObjectsPerSecond;
/** Seconds from sbatch to the first byte: the wait in the queue, and the starts of the container and of rclone. */
const taskStartSeconds = 15;
/** A shard that takes longer makes a lost node expensive. One that is shorter than `shardSecondsMin` is mostly its start. */
const shardSecondsTarget = 1800;
const shardSecondsMin = 60;
/** An agent holds a table of its shard's records in memory. */
const shardObjectsMax = 1_000_000;
/** Shards for each slot of the array; more of them make the load no more even. */
const wavesMax = 4;

/** The numbers of a data set on which its cost depends. */
export interface DataSet {
  objects: number;
  bytes: number;
}

/** The cluster on which the transfer will run. */
export interface ClusterAssumptions {
  cpusPerTask: number;
  arrayConcurrency: number;
  /** CPUs that the whole array may take; undefined for no limit. */
  coreBudget: number | undefined;
  maxShardBytesTb: number;
  /** Seconds of work below which a shard is not worth its start; a minute unless given. */
  minShardSeconds?: number | undefined;
}

/** The least seconds of work of a shard on this machine, where its agent starts at once: there is no queue and no container. */
export const minShardSecondsHere = 5;

export const clusterDefaults: ClusterAssumptions = {
  cpusPerTask: 4,
  arrayConcurrency: 64,
  coreBudget: undefined,
  maxShardBytesTb: 10,
};

/** A number of shards, the reasons for it, and its assumptions. */
export interface ShardSuggestion {
  shards: number;
  reasoning: string;
  assumptions: Record<string, number | null>;
}

/** The slots of the array: how many of its tasks run at a time. */
function slotsOf({ arrayConcurrency, coreBudget, cpusPerTask }: ClusterAssumptions): number {
  const byCores = coreBudget === undefined ? Number.POSITIVE_INFINITY : Math.floor(coreBudget / cpusPerTask);
  return Math.max(1, Math.min(arrayConcurrency, byCores));
}

/** Seconds that one task would work on a data set. */
function workSeconds({ objects, bytes }: DataSet): number {
  return bytes / taskBytesPerSecond + objects / taskObjectsPerSecond;
}

/**
 * How many shards a data set should be cut into: the largest of three numbers. The first keeps each shard below the bytes and
 * objects that it may have. The second keeps every slot of the array busy, with at least a minute of work (or as the
 * assumptions say) a shard. The third makes shards of half an hour, up to four for each slot.
 */
export function suggestShards(data: DataSet, cluster: ClusterAssumptions): ShardSuggestion {
  const slots = slotsOf(cluster);
  const secondsMin = cluster.minShardSeconds ?? shardSecondsMin;
  const seconds = workSeconds(data);
  const byBytes = Math.ceil(data.bytes / (cluster.maxShardBytesTb * TiB));
  const byObjects = Math.ceil(data.objects / shardObjectsMax);
  const byTime = Math.min(wavesMax * slots, Math.ceil(seconds / shardSecondsTarget));
  const bySlots = Math.min(slots, Math.ceil(seconds / secondsMin));
  const needed = Math.max(1, byBytes, byObjects, byTime, bySlots);
  // Whole waves: the last one is as full as the others.
  const level = needed > slots ? Math.ceil(needed / slots) * slots : needed;
  const shards = Math.max(1, Math.min(level, data.objects));
  const reasoning = [
    `shards_by_bytes=${byBytes} (${formatBytes(data.bytes)} / ${cluster.maxShardBytesTb} TiB)`,
    `shards_by_objects=${byObjects} (${formatCount(data.objects)} / ${formatCount(shardObjectsMax)})`,
    `shards_by_time=${byTime} (${formatDuration(seconds)} of one task's work / ${formatDuration(shardSecondsTarget)}, at most ${wavesMax} x ${slots})`,
    `shards_by_concurrency=${bySlots} (${slots} at a time, each with at least ${formatDuration(secondsMin)} of work)`,
    `chose ${shards}: the largest${level > needed ? `, rounded up to full waves of ${slots}` : ""}${shards < level ? ", but one object a shard" : ""}`,
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

/** Seconds until the array has copied the data set in this many even shards, where the network is no limit. */
export function arraySeconds(data: DataSet, shards: number, cluster: ClusterAssumptions): number {
  const waves = Math.ceil(shards / slotsOf(cluster));
  return waves * (taskStartSeconds + workSeconds(data) / shards);
}

/** The S3 requests of a transfer from S3 to S3, by kind. */
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
 * The requests of a transfer: one LIST for 1,000 objects, and for each object one GET and one PUT. Objects above 200 MiB are
 * put in parts of 5 MiB, as rclone does by default. The number of parts is exact to half a part for each of these objects.
 * It is too high where rclone enlarges the parts of an object to keep them below 10,000.
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
