import { describe, expect, test } from "bun:test";
import {
  type Bounds,
  beginLimit,
  type LimitLook,
  type LimitState,
  nextLimit,
  sharesOf,
} from "../../../lib/operate/throttle-law.ts";

const bounds = { min: 2, max: 34 };
const state = (more: Partial<LimitState> = {}): LimitState => ({
  ...{ limit: 20, quiet: 0, quietWanted: 2, raisedFrom: undefined },
  ...more,
});
const look = (more: Partial<LimitLook> = {}): LimitLook => ({
  ...{ refused: 0, taken: 1_000, moved: true, running: 20, waiting: 50, lowered: 0 },
  ...more,
});

/** [what happens, the state, the look, what changes of the state] */
test.each<[string, Partial<LimitState>, Partial<LimitLook>, Partial<LimitState>]>([
  ["refusals", { quiet: 5 }, { refused: 100 }, { limit: 14, quiet: 0 }],
  ["refusals of fewer tasks than may run", {}, { refused: 100, running: 5 }, { limit: 3 }],
  ["refusals of more tasks than may run", { quiet: 1 }, { refused: 100, running: 21 }, { quiet: 0 }],
  ["refusals at the least", { limit: 2 }, { refused: 100, running: 2 }, {}],
  ["refusals of one task", { limit: 3 }, { refused: 100, running: 1 }, { limit: 2 }],
  [
    "refusals after a raise",
    { raisedFrom: 18 },
    { refused: 100 },
    { limit: 18, quietWanted: 4, raisedFrom: undefined },
  ],
  [
    "refusals after a raise of which nothing came",
    { raisedFrom: 18, quietWanted: 16 },
    { refused: 100, running: 10 },
    { limit: 10, quietWanted: 16, raisedFrom: undefined },
  ],
  ["a few refusals", { quiet: 1 }, { refused: 3, taken: 0 }, { quiet: 0 }],
  ["a small share of refusals", { quiet: 1 }, { refused: 40 }, { quiet: 0 }],
  ["a quarter with fewer transfers", { quiet: 1 }, { lowered: 5 }, { quiet: 0 }],
  ["a few with fewer transfers", { quiet: 0 }, { lowered: 4 }, { quiet: 1 }],
  ["a look at tasks that move nothing yet", { quiet: 1 }, { taken: 0, moved: false }, {}],
  ["refusals of tasks that move nothing", {}, { refused: 10, taken: 0, moved: false }, { limit: 14 }],
  ["the first quiet look", { quiet: 0 }, {}, { quiet: 1 }],
  ["enough quiet looks", { quiet: 1 }, {}, { limit: 22, quiet: 0, raisedFrom: 20 }],
  ["enough quiet looks, and nothing waits", { quiet: 1 }, { waiting: 0 }, { quiet: 2 }],
  ["enough quiet looks, and the limit keeps nothing back", { quiet: 1 }, { running: 19 }, { quiet: 2 }],
  ["enough quiet looks at the most", { limit: 34, quiet: 9 }, { running: 34 }, { quiet: 10 }],
  [
    "enough quiet looks near the most",
    { limit: 33, quiet: 1 },
    { running: 33 },
    { limit: 34, quiet: 0, raisedFrom: 33 },
  ],
  [
    "a raise that went well",
    { raisedFrom: 18, quiet: 1, quietWanted: 8 },
    {},
    { quiet: 2, quietWanted: 4, raisedFrom: undefined },
  ],
])("%s", (_, before, seen, change) => {
  const from = state(before);
  const { state: after, reason } = nextLimit(from, look(seen), bounds);
  expect(after).toEqual({ ...from, ...change });
  expect(reason === undefined).toBe(after.limit === from.limit);
});

test.each([
  [100, 34],
  [0, 2],
  [7, 7],
])("a limit of %i begins as %i", (limit, begins) => {
  expect(beginLimit(limit, bounds).limit).toBe(begins);
});

test.each<[number, number, number[]]>([
  [10, 1, [10]],
  [10, 3, [4, 3, 3]],
  [2, 3, [1, 1, 1]],
])("a limit of %i for %i arrays is %p", (limit, arrays, shares) => {
  expect(sharesOf(limit, arrays)).toEqual(shares);
});

/** A server that takes so many requests of a task's a look: each task makes 100. Tasks last a few looks, then others start. */
function simulate(
  capacityAt: (look: number) => number,
  { looks, limits, begin, seed }: { looks: number; limits: Bounds; begin: number; seed: number },
) {
  let random = seed;
  const next = (below: number) => {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((random / 2 ** 31) * below);
  };
  let now = beginLimit(begin, limits);
  let tasks: number[] = [];
  const history: { limit: number; running: number; refused: number; wanted: number }[] = [];
  for (let i = 0; i < looks; i++) {
    tasks = tasks.map((left) => left - 1).filter((left) => left > 0);
    while (tasks.length < now.limit) tasks.push(1 + next(4));
    const running = tasks.length;
    // An agent is not always equally busy.
    const wanted = Array.from({ length: running }, () => 85 + next(30)).reduce((sum, one) => sum + one, 0);
    const refused = Math.max(0, wanted - capacityAt(i) * 100);
    now = nextLimit(
      now,
      { refused, taken: wanted - refused, moved: true, running, waiting: 1_000, lowered: 0 },
      limits,
    ).state;
    history.push({ limit: now.limit, running, refused, wanted });
  }
  return history;
}

const wide = { min: 1, max: 64 };
const seeds = [1, 7, 99, 12_345];

describe.each(seeds)("against a server that refuses above a rate, drawn by %i", (seed) => {
  test.each([3, 12, 30, 55])("for %i tasks: it settles below that, and close to it", (capacity) => {
    const all = simulate(() => capacity, { looks: 400, limits: wide, begin: 64, seed });
    const settled = all.slice(40);
    const limits = settled.map(({ limit }) => limit);
    const mean = limits.reduce((sum, limit) => sum + limit, 0) / limits.length;
    expect(mean).toBeLessThanOrEqual(capacity * 1.1);
    expect(mean).toBeGreaterThanOrEqual(Math.min(capacity * 0.6, capacity - 2));
    // Most of the time next to nothing is refused.
    const refusing = settled.filter(({ refused, wanted }) => refused > 0.05 * wanted).length;
    expect(refusing / settled.length).toBeLessThan(0.25);
    // It does not swing: a change is small beside the limit, and there are few.
    const changes = limits.slice(1).map((limit, i) => Math.abs(limit - (limits[i] ?? 0)));
    expect(Math.max(...changes)).toBeLessThanOrEqual(Math.max(4, Math.ceil(0.4 * capacity)));
    expect(changes.filter((change) => change > 0).length).toBeLessThan(0.35 * limits.length);
  });

  test("it follows the rate down and up again", () => {
    const capacity = (look: number) => (look < 150 ? 50 : look < 300 ? 10 : 40);
    const all = simulate(capacity, { looks: 600, limits: wide, begin: 20, seed });
    const meanOf = (from: number, to: number) =>
      all.slice(from, to).reduce((sum, { limit }) => sum + limit, 0) / (to - from);
    expect(meanOf(100, 150)).toBeGreaterThan(30);
    expect(meanOf(180, 300)).toBeLessThan(11);
    expect(meanOf(180, 300)).toBeGreaterThan(5);
    expect(meanOf(450, 600)).toBeGreaterThan(24);
    expect(meanOf(450, 600)).toBeLessThan(44);
  });

  test("it never leaves its bounds, whatever the rate does", () => {
    const limits = { min: 5, max: 20 };
    const capacity = (look: number) => [0, 1_000, 7, 0, 30][Math.floor(look / 37) % 5] ?? 0;
    for (const { limit } of simulate(capacity, { looks: 500, limits, begin: 500, seed })) {
      expect(limit).toBeGreaterThanOrEqual(5);
      expect(limit).toBeLessThanOrEqual(20);
      expect(Number.isInteger(limit)).toBe(true);
    }
  });

  test("without a limit at the server it comes to the most, and stays there", () => {
    const all = simulate(() => 1_000, { looks: 200, limits: wide, begin: 1, seed });
    expect(all.slice(100).every(({ limit }) => limit === 64)).toBe(true);
  });
});
