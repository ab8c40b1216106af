import { expect, test } from "bun:test";
import { levelPlaced } from "../../../lib/shard/level-placed.ts";
import { seededRandom } from "../../data/fill.ts";

/** Levels objects that are placed so; checks that the books are right after it. */
function levelled(
  weights: readonly number[],
  shardOf: readonly number[],
  numShards: number,
  { maxObjects = Number.POSITIVE_INFINITY, enough = 0, more = [] as readonly number[] } = {},
) {
  const objects = weights.map((weight, record) => ({ record, weight, before: 0 }));
  const base = Array.from({ length: numShards }, (_, shard) => more[shard] ?? 0);
  const placement = {
    objects,
    shardOf: Int32Array.from(shardOf),
    loads: Float64Array.from(base, (load, shard) => load + sumOf(weights, shardOf, shard)),
    placedRecords: Int32Array.from(base, (_, shard) => shardOf.filter((one) => one === shard).length),
    maxObjects,
    enough,
  };
  const before = Math.max(...placement.loads);
  levelPlaced(placement);
  const now = [...placement.shardOf];
  expect([...placement.loads]).toEqual(base.map((load, shard) => load + sumOf(weights, now, shard)));
  expect([...placement.placedRecords]).toEqual(
    base.map((_, shard) => now.filter((one) => one === shard).length),
  );
  const after = Math.max(...placement.loads);
  expect(after).toBeLessThanOrEqual(before);
  return { after, shardOf: now, loads: [...placement.loads] };
}

const sumOf = (weights: readonly number[], shardOf: readonly number[], shard: number) =>
  weights.reduce((sum, weight, i) => sum + (shardOf[i] === shard ? weight : 0), 0);

/** [what it is, weights from heavy to light, their shards, of how many, the heaviest shard after it] */
test.each<[string, number[], number[], number, number]>([
  ["one object", [5], [0], 2, 5],
  ["one that moves", [3, 2], [0, 0], 2, 3],
  ["one that changes places with a lighter one", [5, 4, 3, 2], [0, 0, 1, 1], 2, 7],
  ["one that changes places and nothing else would help", [9, 8, 7, 6], [0, 0, 1, 1], 2, 15],
  ["all in one shard", [4, 3, 2, 1], [0, 0, 0, 0], 2, 5],
  ["level already", [5, 5, 5], [0, 1, 2], 3, 5],
  ["no step that helps", [10, 1, 1], [0, 1, 1], 2, 10],
])("%s", (_, weights, shardOf, numShards, heaviest) => {
  expect(levelled(weights, shardOf, numShards).after).toBe(heaviest);
});

test("no more is done than is enough", () => {
  const shardOf = [0, 0, 0, 0];
  expect(levelled([4, 3, 2, 1], shardOf, 2, { enough: 10 }).shardOf).toEqual(shardOf);
});

test("of all steps the one that levels best is taken", () => {
  expect(levelled([5, 5, 4, 1], [0, 0, 1, 2], 3, { enough: 6 }).shardOf).toEqual([2, 0, 1, 2]);
});

test("an object moves only where there is a place for it; exchanges take none", () => {
  const { shardOf, after } = levelled([5, 4, 3, 2], [0, 0, 1, 1], 2, { maxObjects: 2 });
  expect(after).toBe(7);
  expect(shardOf.filter((shard) => shard === 0)).toHaveLength(2);
  // With no place and nothing to exchange, all stays.
  expect(levelled([5, 4], [0, 0], 2, { maxObjects: 0 }).shardOf).toEqual([0, 0]);
  // The last object of a shard stays there: it would be empty.
  expect(levelled([5], [0], 2, { more: [10, 0] }).shardOf).toEqual([0]);
});

test("it ends where no object of the heaviest shard could move to the lightest, or change places there, and help", () => {
  const random = seededRandom(5);
  for (let round = 0; round < 50; round++) {
    const numShards = 2 + Math.floor(random() * 6);
    const weights = Array.from({ length: 4 * numShards }, () => 1 + Math.floor(random() ** 3 * 1_000));
    weights.sort((a, b) => b - a);
    const { loads, shardOf } = levelled(
      weights,
      weights.map(() => 0),
      numShards,
    );
    const heaviest = loads.indexOf(Math.max(...loads));
    const lightest = loads.indexOf(Math.min(...loads));
    const of = (shard: number) => weights.filter((_, i) => shardOf[i] === shard);
    if (of(heaviest).length < 2) continue;
    for (const give of of(heaviest)) {
      for (const take of [0, ...of(lightest)]) {
        const moved = give - take;
        const heavier = Math.max((loads[heaviest] ?? 0) - moved, (loads[lightest] ?? 0) + moved);
        expect(heavier).toBeGreaterThanOrEqual(loads[heaviest] ?? 0);
      }
    }
  }
});
