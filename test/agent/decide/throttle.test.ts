import { describe, expect, test } from "bun:test";
import {
  afterStart,
  isThrottled,
  lookAfterMs,
  lowerTo,
  type Refusals,
  type StartVerdict,
  type Throttling,
} from "../../../agent/decide/throttle.ts";

describe("with how many transfers rclone is started again", () => {
  const storm: Refusals = { transfers: 32, refused: 29, taken: 4, waiting: 28, forMs: 600, lossMs: 0 };
  test.each<[string, Partial<Refusals>, number | undefined]>([
    ["32 where the store takes 4: those that do not wait", {}, 4],
    ["the same, of long objects: none is through yet", { taken: 0 }, 4],
    ["the same, of HEADs: no object is named, and none is through", { taken: 0, waiting: 0 }, 16],
    ["8 where it takes 4", { transfers: 8, refused: 15, taken: 30, waiting: 3 }, 6],
    ["6 where it takes 4", { transfers: 6, refused: 14, taken: 30, waiting: 2 }, 5],
    ["5 where it takes 4", { transfers: 5, refused: 16, taken: 33, waiting: 2 }, 4],
    ["2 where it takes 1", { transfers: 2, refused: 9, taken: 10, waiting: 1 }, 1],
    ["one that takes nothing", { refused: 60, taken: 0, waiting: 32 }, 1],
    ["a share that is just too much", { refused: 20, taken: 100, waiting: 1 }, 24],
    ["one transfer: there is nothing to lower", { transfers: 1 }, undefined],
    ["few refusals", { refused: 3 }, undefined],
    ["a small share", { refused: 29, taken: 400 }, undefined],
    ["none", { refused: 0, taken: 400, waiting: 0 }, undefined],
    ["only just begun", { forMs: 400 }, undefined],
    ["much is under way that would be lost", { lossMs: 40_000, forMs: 9_000 }, undefined],
    ["the same, after a quarter of that", { lossMs: 40_000, forMs: 10_000 }, 4],
    ["hours are under way", { lossMs: 10_000_000, forMs: 60_000 }, 4],
  ])("%s", (_, change, transfers) => {
    expect(lowerTo({ ...storm, ...change })).toBe(transfers as number);
  });

  test("what a store takes is found in three starts, from any number of transfers", () => {
    for (let takes = 1; takes <= 32; takes++) {
      for (const wanted of [32, 64, 256]) {
        let transfers = wanted;
        for (let starts = 0; starts < 3; starts++) {
          const refused = Math.max(0, transfers - takes);
          transfers = lowerTo({ ...storm, transfers, refused, taken: takes, waiting: refused }) ?? transfers;
        }
        // Each start is with a quarter fewer at least, and the last few refusals are too few to start rclone anew for.
        expect(transfers).toBeGreaterThanOrEqual(Math.floor(0.75 * takes));
        expect(transfers).toBeLessThanOrEqual(takes + 3);
      }
    }
  });
});

test.each([
  [0, 0, false],
  [3, 0, false],
  [4, 0, true],
  [4, 36, true],
  [4, 37, false],
  [100, 901, false],
])("%i refused and %i taken: throttled %p", (refused, taken, throttled) => {
  expect(isThrottled({ refused, taken })).toBe(throttled);
});

describe("what follows a run of rclone", () => {
  const low: Throttling = {
    transfers: 4,
    wanted: 32,
    raisedFrom: undefined,
    refusedRaises: 1,
    quietMs: 3_000,
  };
  const ran = { kind: "ran", ranMs: 15_000, cutOff: true, throttled: false } as const;
  const refused = { kind: "refused", to: 6, ranMs: 700 } as const;
  test.each<[string, Partial<Throttling>, StartVerdict, Partial<Throttling>]>([
    ["the first storm", { transfers: 32, refusedRaises: 0 }, { ...refused, to: 4 }, { refusedRaises: 0 }],
    ["quiet: a quarter more is tried", {}, ran, { transfers: 5, raisedFrom: 4, refusedRaises: 1 }],
    ["a raise is refused", { transfers: 5, raisedFrom: 4 }, { ...refused, to: 3 }, { refusedRaises: 2 }],
    [
      "a raise is refused, but more is taken than before",
      { transfers: 10, raisedFrom: 5 },
      refused,
      { transfers: 6, refusedRaises: 2 },
    ],
    [
      "refused long after a raise",
      { transfers: 10, raisedFrom: 5 },
      { kind: "refused", to: 2, ranMs: 90_000 },
      { transfers: 2 },
    ],
    [
      "a raise goes well: twice as many",
      { transfers: 5, raisedFrom: 4 },
      ran,
      { transfers: 10, raisedFrom: 5, refusedRaises: 0 },
    ],
    [
      "up to the user's",
      { transfers: 20, raisedFrom: 10 },
      ran,
      { transfers: 32, raisedFrom: 20, refusedRaises: 0 },
    ],
    [
      "refused, but too little to be stopped",
      { transfers: 5, raisedFrom: 4 },
      { ...ran, throttled: true },
      { refusedRaises: 2 },
    ],
    ["ended before its time", {}, { ...ran, ranMs: 900, cutOff: false }, { quietMs: 3_900 }],
    [
      "never lowered",
      { transfers: 32, refusedRaises: 0, quietMs: 0 },
      { ...ran, cutOff: false },
      { transfers: 32, refusedRaises: 0 },
    ],
  ])("%s", (_, change, run, after) => {
    const expected = {
      transfers: 4,
      wanted: 32,
      refusedRaises: 1,
      quietMs: 0,
      raisedFrom: undefined,
      ...after,
    };
    expect(afterStart({ ...low, ...change }, run)).toEqual(expected);
  });

  test.each<[string, Partial<Throttling>, number, number | undefined]>([
    ["the user's transfers: no limit", { transfers: 32 }, 200, undefined],
    ["lowered: a quarter of a minute", {}, 200, 15_000],
    ["some quiet was already", { quietMs: 9_000 }, 200, 6_000],
    ["a raise was refused", { refusedRaises: 1 }, 200, 30_000],
    ["many were: a minute at most", { refusedRaises: 9 }, 200, 60_000],
    ["a raise is looked at", { transfers: 5, raisedFrom: 4, refusedRaises: 2 }, 200, 5_000],
    ["a container starts slowly", {}, 5_000, 50_000],
    ["a raise in one that starts slowly", { transfers: 5, raisedFrom: 4 }, 5_000, 20_000],
  ])("how long rclone runs: %s", (_, change, startMs, expected) => {
    const now = { ...low, refusedRaises: 0, quietMs: 0, ...change };
    expect(lookAfterMs(now, startMs, 0.5)).toBe(expected as number);
  });
});
