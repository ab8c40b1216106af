import { expect, test } from "bun:test";
import { planShards } from "../../../lib/shard/plan.ts";
import { RangeCutter } from "../../../lib/shard/range-cutter.ts";
import { SurveyCollector } from "../../../lib/shard/survey.ts";
import { seededRandom } from "../../data/fill.ts";

/** Plans shards for objects of these weights and says what each shard gets. */
function plan(weights: readonly number[], numShards: number, maxObjects = Number.POSITIVE_INFINITY) {
  const survey = new SurveyCollector(numShards);
  for (const weight of weights) survey.add(weight, weight);
  const made = planShards(survey, numShards, maxObjects);
  const roomTotal = made.room.reduce((sum, room) => sum + room, 0);
  const records = weights.length - made.placed.size;
  const cutter = new RangeCutter(made, { records, weight: roomTotal }, maxObjects);
  const loads = new Array<number>(numShards).fill(0);
  const counts = new Array<number>(numShards).fill(0);
  const shards = weights.map((weight, record) => {
    const shard = made.placed.get(record) ?? cutter.next(weight);
    loads[shard] = (loads[shard] ?? 0) + weight;
    counts[shard] = (counts[shard] ?? 0) + 1;
    return shard;
  });
  const mean = survey.weight / numShards;
  const spread = mean === 0 ? 1 : loads.reduce((most, load) => Math.max(most, load), 0) / mean;
  return { shards, counts, spread, mean, placed: made.placed };
}

type Sizes = (random: () => number, i: number, count: number) => number;

const distributions: Record<string, Sizes> = {
  pareto: (random) => Math.floor(4096 / (1 - random()) ** (1 / 1.1)),
  uniform: (random) => Math.floor(random() * 1e6),
  "few huge, many tiny": (random) =>
    random() < 0.01 ? Math.floor(random() * 1e11) : Math.floor(random() * 1e4),
  empty: () => 0,
  "empty, then growing": (random, i, count) => (i < count / 2 ? 0 : Math.floor(1e6 / (1 - random()) ** 2)),
  exponential: (random) => Math.floor(Math.exp(random() * 25)),
  equal: () => 1000,
};

for (const [name, sizeOf] of Object.entries(distributions)) {
  test(`level as promised, complete, in order, none empty: ${name}`, () => {
    const random = seededRandom(name.length);
    let promised = 0;
    for (let round = 0; round < 150; round++) {
      const count = 1 + Math.floor(random() ** 2 * 20_000);
      const numShards = 1 + Math.floor(random() ** 2 * 200);
      const overhead = [0, 1, 1024 * 1024][round % 3] ?? 0;
      const weights = Array.from({ length: count }, (_, i) => sizeOf(random, i, count) + overhead);
      const { shards, counts, spread, mean, placed } = plan(weights, numShards);
      expect(counts.filter((records) => records === 0).length).toBe(Math.max(0, numShards - count));
      const run = shards.filter((_, record) => !placed.has(record));
      expect(run.every((shard, i) => i === 0 || shard >= (run[i - 1] ?? 0))).toBe(true);
      const heavy = weights.filter((weight) => weight > 0.005 * mean);
      const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
      const heavyTotal = heavy.reduce((sum, weight) => sum + weight, 0);
      if (heavy.length === 0 || heavyTotal / numShards + heaviest <= 1.005 * mean) {
        promised++;
        expect(spread).toBeLessThanOrEqual(1.01 + 1e-9);
      }
    }
    expect(promised).toBeGreaterThan(0);
  });
}

test("large objects are packed where there is a packing", () => {
  // Each shard can hold exactly one 0.6, one 0.3 and dust; by size alone the runs could not.
  const weights = [
    ...Array.from({ length: 40 }, () => 600_000),
    ...Array.from({ length: 40 }, () => 300_000),
    ...Array.from({ length: 40_000 }, () => 100),
  ];
  expect(plan(weights, 40).spread).toBeLessThanOrEqual(1.01);
});

test("where no packing is level the best that was found is taken: every object at 0.6 of the mean", () => {
  const { spread, counts } = plan(
    Array.from({ length: 50 }, () => 1),
    30,
  );
  expect(spread).toBeCloseTo(1.2);
  expect(Math.min(...counts)).toBe(1);
});

test("objects that need not move stay in their run", () => {
  const random = seededRandom(3);
  const small = Array.from({ length: 10_000 }, () => 1000 + Math.floor(random() * 100));
  expect(plan(small, 20).placed.size).toBe(0);
  // One object that weighs most of a shard: it is placed, nothing else.
  const one = [...small.slice(0, 5000), 300_000, ...small.slice(5000)];
  expect(plan(one, 20).placed.size).toBeLessThanOrEqual(1);
});

test("no shard has more records than it may", () => {
  const random = seededRandom(4);
  for (let round = 0; round < 200; round++) {
    const count = 1 + Math.floor(random() * 3000);
    const numShards = 1 + Math.floor(random() * 50);
    const maxObjects = Math.ceil((count / numShards) * (1 + random() * 0.3));
    const weights = Array.from({ length: count }, (_, i) =>
      i < count / 3 ? 1 : Math.floor(random() ** 4 * 1e6),
    );
    const { counts } = plan(weights, numShards, maxObjects);
    expect(Math.max(...counts)).toBeLessThanOrEqual(maxObjects);
    expect(counts.reduce((sum, records) => sum + records, 0)).toBe(count);
  }
});

test("what is kept of a manifest is bounded by the number of shards", () => {
  const random = seededRandom(6);
  const survey = new SurveyCollector(10);
  let most = 0;
  for (let i = 0; i < 300_000; i++) {
    const size = Math.floor(4096 / (1 - random()) ** 2);
    survey.add(size, size);
    most = Math.max(most, survey.large.length);
  }
  expect(most).toBeLessThanOrEqual(2 * 200 * 10 + 1024);
  const heavy = survey.large.above(survey.weight / 2000);
  expect(heavy.length).toBeGreaterThan(0);
});
