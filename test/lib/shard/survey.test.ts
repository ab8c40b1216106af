import { expect, test } from "bun:test";
import { LargeObjects, largeShare, SurveyCollector } from "../../../lib/shard/survey.ts";
import { seededRandom } from "../../data/fill.ts";

const all = (large: LargeObjects) => {
  const found: [number, number, number][] = [];
  large.forEach((record, weight, before) => {
    found.push([record, weight, before]);
  });
  return found;
};

test.each([0, 1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 40_000])(
  "%d large objects are kept in order",
  (count) => {
    const large = new LargeObjects();
    for (let i = 0; i < count; i++) large.add(i, 10 * i, 7 * i);
    expect(large.length).toBe(count);
    const found = all(large);
    expect(found).toHaveLength(count);
    expect(
      found.every(([record, weight, before], i) => record === i && weight === 10 * i && before === 7 * i),
    ).toBe(true);
  },
);

test("those that do not weigh more than a bound are dropped, and there is room again", () => {
  const large = new LargeObjects();
  for (let i = 0; i < 40_000; i++) large.add(i, i % 4, i);
  expect(large.above(3)).toEqual([]);
  expect(large.above(2)).toHaveLength(10_000);
  expect(large.length).toBe(40_000);
  large.keepAbove(2);
  expect(large.length).toBe(10_000);
  expect(all(large)[1]).toEqual([7, 3, 7]);
  large.add(1, 2, 3);
  expect(all(large).at(-1)).toEqual([1, 2, 3]);
  large.keepAbove(3);
  expect(all(large)).toEqual([]);
});

test("a survey has the totals, and every object that is large in the end, with what came before it", () => {
  const random = seededRandom(9);
  const pareto = () => Math.floor(100 / (1 - random()) ** 1.5);
  const uniform = () => 1 + Math.floor(100 * random());
  for (const [numShards, weightOf] of [
    [1, pareto],
    [3, pareto],
    [64, pareto],
    [20, uniform],
    [30, uniform],
    [40, uniform],
  ] as const) {
    const survey = new SurveyCollector(numShards);
    const weights = Array.from({ length: 5_000 }, weightOf);
    for (const weight of weights) survey.add(weight - 1, weight);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    expect(survey).toMatchObject({ records: 5_000, bytes: total - 5_000, weight: total });
    const least = (largeShare * total) / numShards;
    let before = 0;
    const wanted = weights.flatMap((weight, record) => {
      const found = weight > least ? [{ record, weight, before }] : [];
      before += weight;
      return found;
    });
    expect(survey.large.above(least)).toEqual(wanted);
  }
});

test("without shards no object is large", () => {
  const survey = new SurveyCollector(0);
  for (let i = 0; i < 10; i++) survey.add(i, 1e9);
  expect(survey.large.length).toBe(0);
  expect(survey).toMatchObject({ records: 10, bytes: 45, weight: 1e10 });
});
