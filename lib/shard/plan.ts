import { LeastLoaded } from "./least-loaded.ts";
import { levelPlaced } from "./level-placed.ts";
import { type LargeObject, type LargeObjects, largeShare, type ShardSurvey } from "./survey.ts";

/**
 * Records are distributed over shards by weight. Each shard gets a range of the manifest's lines. To level the shards, some
 * large objects, as few as possible, are taken out of their range and placed in another shard.
 */

/** A plan is level when no shard weighs more than this times the mean. Objects that are not large count as divisible here. */
const levelMax = 1 + largeShare;
/** From which share of the mean on a plan places objects by themselves. Shares are tried in order, up to the first level plan. */
const placedFromShares = [Number.POSITIVE_INFINITY, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, largeShare];

/** The large objects that are placed by themselves, and the room that is left in each shard for a range of the others. */
export interface ShardPlan {
  /** The shard of a record that is placed by itself. */
  placed: ReadonlyMap<number, number>;
  /** How many records are placed in each shard by themselves. */
  placedRecords: Int32Array;
  /** The weight of each shard's range. */
  room: Float64Array;
  /** The weight of the heaviest shard, as far as the large objects decide it. */
  heaviest: number;
}

/**
 * Plans the shards of a manifest. With m the mean weight of a shard, no shard weighs more than 1.01 m when
 * - no object weighs more than 0.005 m, or
 * - the objects heavier than 0.005 m weigh S together, the heaviest w, and S / shards + w <= 1.005 m.
 * Both hold for every manifest, if --max-objects does not cut a range short. In other cases a plan within 1.01 m is nearly
 * always found if there is one; to find it always is bin packing. Where there is none (every object at 0.6 m, say) the most
 * level plan that was found is taken. Among level plans the one with the longest ranges wins.
 */
export function planShards(survey: ShardSurvey, numShards: number, maxObjects: number): ShardPlan {
  const mean = survey.weight / numShards;
  const bySize = survey.large
    .above(largeShare * mean)
    .sort((a, b) => b.weight - a.weight || a.record - b.record);
  let best: ShardPlan | undefined;
  const consider = (plan: ShardPlan | undefined) => {
    if (plan && (best === undefined || plan.heaviest < best.heaviest)) best = plan;
    return best !== undefined && best.heaviest <= levelMax * mean;
  };
  const place = (share: number, nearHome: boolean) => {
    const count = countWhile(bySize, ({ weight }) => weight > share * mean);
    const tooHeavy = best?.heaviest ?? Number.POSITIVE_INFINITY;
    if (count > 0 && (bySize[0]?.weight ?? 0) >= tooHeavy) return undefined;
    return attempt({ survey, numShards, maxObjects, bySize, count, nearHome, tooHeavy });
  };
  for (const share of placedFromShares) {
    if (consider(place(share, true)) && best) return best;
  }
  consider(place(largeShare, false));
  return best ?? evenPlan(numShards, survey.weight);
}

/** The plan that places no object by itself: ranges of equal weight. */
export function evenPlan(numShards: number, weight: number): ShardPlan {
  const room = new Float64Array(numShards).fill(weight / numShards);
  return { placed: new Map(), placedRecords: new Int32Array(numShards), room, heaviest: weight };
}

interface Attempt {
  survey: ShardSurvey;
  numShards: number;
  maxObjects: number;
  bySize: readonly LargeObject[];
  /** How many of `bySize` are placed by themselves. */
  count: number;
  /** Whether an object is placed in the shard of its range if it fits there, rather than in the least loaded shard. */
  nearHome: boolean;
  /** The plan is of no use when its heaviest shard is not lighter than this. */
  tooHeavy: number;
}

/** One plan; undefined when it would leave a shard empty without need, or when the placed objects alone make it too heavy. */
function attempt(options: Attempt): ShardPlan | undefined {
  const { survey, numShards, maxObjects, bySize, count, nearHome, tooHeavy } = options;
  const mean = survey.weight / numShards;
  const loads = new Float64Array(numShards);
  const placedRecords = new Int32Array(numShards);
  const shardOf = new Int32Array(count);
  const queue = new LeastLoaded(loads);
  const isFull = (shard: number) => (placedRecords[shard] as number) >= maxObjects;
  for (let i = 0; i < count; i++) {
    const { weight, before } = bySize[i] as LargeObject;
    const home = Math.min(numShards - 1, Math.floor((before + weight / 2) / mean));
    const fits = nearHome && (loads[home] as number) + weight <= mean && !isFull(home);
    const shard = fits ? home : queue.least(isFull);
    if (shard === undefined) return undefined;
    shardOf[i] = shard;
    loads[shard] = (loads[shard] as number) + weight;
    placedRecords[shard] = (placedRecords[shard] as number) + 1;
  }
  const objects = bySize.slice(0, count);
  if (!nearHome) levelPlaced({ objects, shardOf, loads, placedRecords, maxObjects, enough: levelMax * mean });
  if (mostOf(loads) >= tooHeavy) return undefined;
  const rangeRecords = survey.records - count;
  const without = placedRecords.filter((records) => records === 0).length;
  if (survey.records >= numShards && rangeRecords < without) return undefined;
  const placed = new Map(objects.map(({ record }, i) => [record, shardOf[i] as number]));
  const rangeWeight = survey.weight - objects.reduce((sum, { weight }) => sum + weight, 0);
  const room = roomToLevel(loads, rangeWeight);
  return { placed, placedRecords, room, heaviest: heaviestOf(survey.large, placed, loads, room) };
}

function countWhile<T>(list: readonly T[], holds: (item: T) => boolean): number {
  const end = list.findIndex((item) => !holds(item));
  return end === -1 ? list.length : end;
}

/** How much of `weight` each shard takes so that the lightest become equal, as water fills vessels. */
function roomToLevel(loads: Float64Array, weight: number): Float64Array {
  const sorted = loads.slice().sort();
  let level = 0;
  let sum = 0;
  for (let i = 0; i < sorted.length; i++) {
    sum += sorted[i] as number;
    level = (sum + weight) / (i + 1);
    if (i + 1 === sorted.length || level <= (sorted[i + 1] as number)) break;
  }
  return loads.map((load) => Math.max(0, level - load));
}

/** The weight of the heaviest shard when ranges are cut at whole large objects. Lighter objects count as divisible. */
function heaviestOf(
  large: LargeObjects,
  placed: ReadonlyMap<number, number>,
  placedLoads: Float64Array,
  room: Float64Array,
): number {
  const numShards = room.length;
  const loads = placedLoads.map((load, shard) => load + (room[shard] as number));
  const bounds = rangeBounds(room);
  const endOf = (shard: number) => bounds[shard + 1] as number;
  let gone = 0;
  let first = 0;
  large.forEach((record, weight, before) => {
    if (placed.has(record)) {
      gone += weight;
      return;
    }
    const start = before - gone;
    while (first < numShards - 1 && endOf(first) <= start) first++;
    let target = first;
    while (target < numShards - 1 && endOf(target) <= start + weight / 2) target++;
    for (let shard = first; shard < numShards && (bounds[shard] as number) < start + weight; shard++) {
      const overlap = Math.min(endOf(shard), start + weight) - Math.max(bounds[shard] as number, start);
      loads[shard] = (loads[shard] as number) - Math.max(0, overlap);
    }
    loads[target] = (loads[target] as number) + weight;
  });
  return mostOf(loads);
}

function mostOf(loads: Float64Array): number {
  return loads.reduce((most, load) => Math.max(most, load), 0);
}

/** The weights at which the ranges begin, and after them the weight at which the last one ends. */
export function rangeBounds(room: Float64Array): Float64Array {
  const bounds = new Float64Array(room.length + 1);
  for (let shard = 0; shard < room.length; shard++) {
    bounds[shard + 1] = (bounds[shard] as number) + (room[shard] as number);
  }
  return bounds;
}
