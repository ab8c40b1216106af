import { expect, test } from "bun:test";
import { LeastLoaded } from "../../../lib/shard/least-loaded.ts";
import { seededRandom } from "../../data/fill.ts";

const never = () => false;

test.each<[number[], number | undefined]>([
  [[], undefined],
  [[5], 0],
  [[3, 1, 2], 1],
  [[2, 1, 1], 1],
  [[0, 0, 0], 0],
  [[9, 8, 7, 6, 5, 4, 3, 2, 1], 8],
])("of the loads %j the least is that of shard %p", (loads, least) => {
  expect(new LeastLoaded(Float64Array.from(loads)).least(never)).toBe(least as number);
});

test("loads that grow are noticed: the same as by looking at all of them", () => {
  const random = seededRandom(11);
  for (let round = 0; round < 40; round++) {
    const count = 1 + Math.floor(random() * 40);
    const loads = Float64Array.from({ length: count }, () => Math.floor(random() * 5));
    const full = new Set<number>();
    const queue = new LeastLoaded(loads);
    for (let step = 0; step < 200; step++) {
      const least = queue.least((shard) => full.has(shard));
      const open = [...loads.keys()].filter((shard) => !full.has(shard));
      const wanted = open.reduce<number | undefined>(
        (best, shard) => (best === undefined || (loads[shard] ?? 0) < (loads[best] ?? 0) ? shard : best),
        undefined,
      );
      expect(least).toBe(wanted as number);
      if (least === undefined) break;
      // Others than the least may grow too.
      const grown = random() < 0.8 ? least : Math.floor(random() * count);
      loads[grown] = (loads[grown] ?? 0) + Math.floor(random() * 4);
      if (random() < 0.02) full.add(Math.floor(random() * count));
    }
  }
});

test("what is full is dropped for good", () => {
  const queue = new LeastLoaded(Float64Array.of(1, 2));
  expect(queue.least((shard) => shard === 0)).toBe(1);
  expect(queue.least(never)).toBe(1);
  expect(queue.least(() => true)).toBeUndefined();
  expect(queue.least(never)).toBeUndefined();
});
