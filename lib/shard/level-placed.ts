import type { LargeObject } from "./survey.ts";

/** The most improvements, for each shard. */
const roundsPerShard = 20;
/** How many of the lightest shards are tried for an exchange with the heaviest. */
const partnersMax = 64;

/** Objects placed in shards. Levelling changes `shardOf`, `loads` and `placedRecords`. */
interface Placement {
  objects: readonly LargeObject[];
  shardOf: Int32Array;
  loads: Float64Array;
  placedRecords: Int32Array;
  maxObjects: number;
  /** Levelling ends when no shard is heavier than this. */
  enough: number;
}

/** One step: `give` goes from the heaviest shard to its partner, and `take` the other way; -1 stands for no object. */
interface Exchange {
  give: number;
  take: number;
  /** The weight of the heavier of the two shards after the step. */
  heavier: number;
}

/**
 * Lowers the heaviest load step by step. In each step an object of the heaviest shard moves to a lighter shard, or is
 * exchanged with an object of that shard. The step that levels the two best is taken. Levelling ends when the heaviest load
 * is low enough, when no step helps, or after 20 steps for each shard.
 */
export function levelPlaced(placement: Placement): void {
  const { objects, shardOf, loads, placedRecords, enough } = placement;
  const members: number[][] = Array.from(loads, () => []);
  // Heavy objects come first in `objects`, and in each list of members.
  objects.forEach((_, i) => {
    members[shardOf[i] as number]?.push(i);
  });
  const weightOf = (i: number) => objects[i]?.weight ?? 0;
  const insert = (shard: number, i: number) => {
    const list = members[shard] as number[];
    const at = list.findIndex((other) => other > i);
    list.splice(at === -1 ? list.length : at, 0, i);
    shardOf[i] = shard;
  };
  const remove = (shard: number, i: number) => {
    const list = members[shard] as number[];
    list.splice(list.indexOf(i), 1);
  };
  for (let round = 0; round < roundsPerShard * loads.length; round++) {
    const heaviest = indexOfMost(loads);
    if ((loads[heaviest] as number) <= enough) return;
    const partners = lightest(loads, heaviest);
    let best: (Exchange & { partner: number }) | undefined;
    for (const partner of partners) {
      const found = bestExchange(placement, members, heaviest, partner, weightOf);
      if (found && (best === undefined || found.heavier < best.heavier)) best = { ...found, partner };
    }
    if (best === undefined) return;
    const { give, take, partner } = best;
    const moved = weightOf(give) - (take === -1 ? 0 : weightOf(take));
    loads[heaviest] = (loads[heaviest] as number) - moved;
    loads[partner] = (loads[partner] as number) + moved;
    remove(heaviest, give);
    insert(partner, give);
    if (take === -1) {
      placedRecords[heaviest] = (placedRecords[heaviest] as number) - 1;
      placedRecords[partner] = (placedRecords[partner] as number) + 1;
    } else {
      remove(partner, take);
      insert(heaviest, take);
    }
  }
}

function indexOfMost(loads: Float64Array): number {
  let most = 0;
  for (let i = 1; i < loads.length; i++) if ((loads[i] as number) > (loads[most] as number)) most = i;
  return most;
}

function lightest(loads: Float64Array, except: number): number[] {
  const order = Array.from(loads.keys()).filter((shard) => shard !== except);
  order.sort((a, b) => (loads[a] as number) - (loads[b] as number) || a - b);
  return order.slice(0, partnersMax);
}

function bestExchange(
  { loads, placedRecords, maxObjects }: Placement,
  members: readonly number[][],
  from: number,
  to: number,
  weightOf: (i: number) => number,
): Exchange | undefined {
  const fromLoad = loads[from] as number;
  const toLoad = loads[to] as number;
  const takes = members[to] as number[];
  const mayMove = (placedRecords[to] as number) < maxObjects && (placedRecords[from] as number) > 1;
  let best: Exchange | undefined;
  const tryOne = (give: number, take: number) => {
    const moved = weightOf(give) - (take === -1 ? 0 : weightOf(take));
    const heavier = Math.max(fromLoad - moved, toLoad + moved);
    if (heavier < fromLoad && (best === undefined || heavier < best.heavier)) best = { give, take, heavier };
  };
  const wanted = (fromLoad - toLoad) / 2;
  let at = 0;
  for (const give of members[from] as number[]) {
    if (mayMove) tryOne(give, -1);
    // Both lists are sorted by falling weight: the best partner's index never goes back, and one walk over both is enough.
    while (at < takes.length && weightOf(give) - weightOf(takes[at] as number) < wanted) at++;
    if (at < takes.length) tryOne(give, takes[at] as number);
    if (at > 0) tryOne(give, takes[at - 1] as number);
  }
  return best;
}
