import { expect, test } from "bun:test";
import { RateWindow } from "../../../lib/system/rate.ts";

/** [what happens, the moments (seconds) and totals, the rate after each] */
const rows: [string, [second: number, total: number][], number[]][] = [
  ["one moment tells no rate", [[5, 100]], [0]],
  [
    "two moments at one time tell none",
    [
      [5, 0],
      [5, 100],
    ],
    [0, 0],
  ],
  [
    "a steady growth",
    [
      [0, 0],
      [1, 10],
      [2, 20],
      [4, 40],
    ],
    [0, 10, 10, 10],
  ],
  [
    "what was there at first is no rate",
    [
      [0, 1e12],
      [10, 1e12],
    ],
    [0, 0],
  ],
  [
    "growth that ends is forgotten after the window",
    [
      [0, 0],
      [10, 1_000],
      [20, 1_000],
      [30, 1_000],
      [40, 1_000],
    ],
    [0, 100, 50, 0, 0],
  ],
  [
    "a total that falls is no rate below zero",
    [
      [0, 100],
      [10, 50],
    ],
    [0, 0],
  ],
  [
    "a clock that is set back tells none",
    [
      [10, 0],
      [5, 100],
    ],
    [0, 0],
  ],
  [
    "moments further apart than the window",
    [
      [0, 0],
      [100, 100],
      [200, 400],
    ],
    [0, 1, 3],
  ],
];

test.each(rows)("%s", (_, moments, rates) => {
  const window = new RateWindow(20_000);
  expect(moments.map(([second, total]) => window.add(second * 1_000, total))).toEqual(rates);
});

test("the window moves: of a growth that doubles the rate is that of the last seconds", () => {
  const window = new RateWindow(10_000);
  let total = 0;
  let rate = 0;
  for (let second = 0; second <= 60; second++) {
    rate = window.add(second * 1_000, total);
    total += second < 30 ? 5 : 20;
  }
  expect(rate).toBe(20);
});
