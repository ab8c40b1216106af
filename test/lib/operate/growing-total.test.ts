import { expect, test } from "bun:test";
import { GrowingTotal } from "../../../lib/operate/growing-total.ts";

/** [shard, epoch, count] as they are seen, and the total after each. */
test.each<[string, [number, string, number][], number[]]>([
  [
    "a count that grows",
    [
      [0, "1", 3],
      [0, "1", 5],
      [0, "1", 5],
    ],
    [3, 5, 5],
  ],
  [
    "a count that begins anew with another attempt",
    [
      [0, "1", 7],
      [0, "2", 2],
      [0, "2", 4],
      [0, "3", 0],
      [0, "3", 1],
    ],
    [7, 9, 11, 11, 12],
  ],
  [
    "a count that was read wrong once",
    [
      [0, "1", 7],
      [0, "1", 0],
      [0, "1", 7],
      [0, "1", 8],
    ],
    [7, 7, 7, 8],
  ],
  [
    "counts of two shards",
    [
      [0, "1", 7],
      [1, "1", 1],
      [0, "2", 1],
      [1, "1", 2],
    ],
    [7, 8, 9, 10],
  ],
])("%s", (_, seen, totals) => {
  const total = new GrowingTotal();
  expect(
    seen.map(([shard, epoch, count]) => {
      total.see(shard, epoch, count);
      return total.total;
    }),
  ).toEqual(totals);
});
