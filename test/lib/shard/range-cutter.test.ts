import { expect, test } from "bun:test";
import * as cutting from "../../../lib/shard/range-cutter.ts";

/** Cuts records of these weights by the room of each shard, some of which hold records already. */
function cut(
  weights: readonly number[],
  room: readonly number[],
  { placed = [] as readonly number[], maxObjects = Number.POSITIVE_INFINITY } = {},
): number[] {
  const plan = {
    placed: new Map<number, number>(),
    placedRecords: Int32Array.from(room, (_, shard) => placed[shard] ?? 0),
    room: Float64Array.from(room),
    heaviest: 0,
  };
  const totals = { records: weights.length, weight: room.reduce((sum, one) => sum + one, 0) };
  const cutter = new cutting.RangeCutter(plan, totals, maxObjects);
  return weights.map((weight) => cutter.next(weight));
}

/** [what it is, weights, room, the shard of each record] */
test.each<[string, number[], number[], number[]]>([
  ["one shard", [1, 2, 3], [6], [0, 0, 0]],
  ["equal weights", [1, 1, 1, 1], [2, 2], [0, 0, 1, 1]],
  ["a record goes where its middle lies", [3, 3, 3], [4.5, 4.5], [0, 1, 1]],
  ["the middle decides, not the end", [4, 1, 1], [3, 3], [0, 1, 1]],
  ["a shard without room gets nothing while others have records for theirs", [1, 1, 1], [1, 0, 2], [0, 1, 2]],
  ["no shard stays empty while there are records for it", [9, 1, 1], [3, 4, 4], [0, 1, 2]],
  ["a heavy record at the end", [1, 1, 9], [4, 4, 3], [0, 1, 2]],
  ["fewer records than shards", [5, 5], [2, 2, 2, 4], [0, 1]],
  ["no weight at all: by number", [0, 0, 0, 0], [0, 0], [0, 0, 1, 1]],
  ["nothing", [], [1, 1], []],
])("%s", (_, weights, room, shards) => {
  expect(cut(weights, room)).toEqual(shards);
});

test("a shard that holds a record already need not get another", () => {
  expect(cut([5, 5], [0, 10], { placed: [1, 0] })).toEqual([1, 1]);
  expect(cut([5, 5], [10, 0], { placed: [0, 1] })).toEqual([0, 0]);
});

test("no shard gets more records than it may, those it holds already among them; the others take what is left", () => {
  expect(cut([1, 1, 1, 1, 1, 1], [6, 0, 0], { maxObjects: 2 })).toEqual([0, 0, 1, 1, 2, 2]);
  expect(cut([1, 1, 1, 1], [2, 2], { maxObjects: 3, placed: [2, 0] })).toEqual([0, 1, 1, 1]);
  // What the first cannot take is spread over the room of those after it.
  const ones = Array.from({ length: 12 }, () => 1);
  expect(cut(ones, [8, 2, 2], { maxObjects: 6 })).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2]);
  expect(cut([1, 1, 1, 1], [1, 3], { maxObjects: 3, placed: [0, 2] })).toEqual([0, 0, 0, 1]);
  // Small records at first: those after them must find a place.
  expect(cut([1, 1, 1, 1, 50, 50], [52, 52], { maxObjects: 3 })).toEqual([0, 0, 0, 1, 1, 1]);
});
