import { describe, expect, test } from "bun:test";
import {
  afterPiece,
  beginCut,
  isToCut,
  nextPiece,
  type Piece,
  type PieceOutcome,
  pieceOutcome,
} from "../../../agent/decide/cut.ts";

describe("what a start of rclone says of its records", () => {
  const facts = { proved: false, exitCode: 1, unnamed: 3, unheard: false, failure: "unknown" as const };
  const rows: [string, Partial<Parameters<typeof pieceOutcome>[0]>, PieceOutcome][] = [
    ["aborted", {}, "aborted"],
    ["aborted by one that is denied", { failure: "auth" }, "aborted"],
    ["aborted by the network", { failure: "network" }, "aborted"],
    ["proved something", { proved: true }, "went-on"],
    ["ended well", { exitCode: 0 }, "went-on"],
    ["named each", { unnamed: 0 }, "went-on"],
    ["its configuration is wrong", { failure: "config" }, "everything"],
    ["its container did not start", { failure: "container" }, "everything"],
    ["never spoke", { unheard: true }, "everything"],
    ["its step was lost after it had proved something", { unheard: true, proved: true }, "everything"],
    ["never spoke, and ended well", { unheard: true, exitCode: 0 }, "went-on"],
    ["never spoke, and named none since there are none", { unheard: true, unnamed: 0 }, "everything"],
  ];
  for (const [what, change, outcome] of rows) {
    test(what, () => expect(pieceOutcome({ ...facts, ...change })).toBe(outcome));
  }
});

describe("whether a pass is cut", () => {
  const facts = {
    outcome: "aborted" as PieceOutcome,
    records: 10,
    wasGeneral: false,
    failure: "unknown" as const,
    abortedBefore: false,
    isLastPass: false,
  };
  const rows: [string, Partial<Parameters<typeof isToCut>[0]>, boolean][] = [
    ["aborted", {}, true],
    ["by one that is denied", { failure: "auth" }, true],
    ["went on", { outcome: "went-on" }, false],
    ["everything", { outcome: "everything" }, false],
    ["one record", { records: 1 }, false],
    ["two records", { records: 2 }, true],
    ["each record aborted before", { wasGeneral: true }, false],
    ["throttled, for the first time", { failure: "throttled" }, false],
    ["network, for the first time", { failure: "network" }, false],
    ["network, again", { failure: "network", abortedBefore: true }, true],
    ["network, in the last pass", { failure: "network", isLastPass: true }, true],
  ];
  for (const [what, change, cut] of rows) {
    test(what, () => expect(isToCut({ ...facts, ...change })).toBe(cut));
  }
});

/** Searches among so many records, of which the bad ones abort every start that includes one. */
function search(records: number, isBad: (rank: number) => boolean) {
  const through = new Set<number>();
  const alone: number[] = [];
  let cut = beginCut(records);
  for (;;) {
    const piece = nextPiece(cut);
    if (!piece) break;
    const ranks = ranksOf(piece).filter((rank) => !through.has(rank) && !alone.includes(rank));
    const outcome = ranks.some(isBad) ? "aborted" : "went-on";
    if (outcome === "went-on") for (const rank of ranks) through.add(rank);
    else if (ranks.length === 1) alone.push(...ranks);
    cut = afterPiece(cut, piece, outcome, ranks.length > 0);
  }
  const left = cut.waiting.flatMap(ranksOf).filter((rank) => !through.has(rank) && !alone.includes(rank));
  return { cut, through, alone: alone.sort((a, b) => a - b), left };
}

const ranksOf = ({ from, to }: Piece) => Array.from({ length: to - from }, (_, i) => from + i);

describe("the search for what stops a pass", () => {
  for (const records of [2, 3, 7, 8, 9, 100, 1000, 65_537]) {
    for (const bad of [0, Math.floor(records / 3), Math.floor(records / 2), records - 1]) {
      test(`one bad record, ${bad} of ${records}, is found alone in few starts`, () => {
        const { cut, through, alone, left } = search(records, (rank) => rank === bad);
        expect({ alone, left, through: through.size }).toEqual({
          alone: [bad],
          left: [],
          through: records - 1,
        });
        expect(cut.isGeneral).toBe(false);
        expect(cut.starts).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(records)) + 4);
      });
    }
  }

  test("a bad folder of 5 among 1,000", () => {
    const { alone, left, through } = search(1000, (rank) => rank >= 500 && rank < 505);
    expect({ alone, left, through: through.size }).toEqual({
      alone: [500, 501, 502, 503, 504],
      left: [],
      through: 995,
    });
  });

  test("what every record has is recognised in as many starts as there are samples", () => {
    const { cut, alone, through } = search(10_000, () => true);
    expect([cut.isGeneral, cut.starts, alone.length, through.size]).toEqual([true, 8, 8, 0]);
    expect(search(3, () => true).cut).toMatchObject({ isGeneral: true, starts: 3 });
  });

  test("so many bad ones that the bound is spent: what is not reached is known, and most went through", () => {
    const { cut, alone, through, left } = search(100_000, (rank) => rank % 1000 === 7);
    expect(cut.starts).toBe(128);
    expect(alone.length + through.size + left.length).toBe(100_000);
    expect(through.size).toBeGreaterThan(0);
    expect(left.length).toBeGreaterThan(0);
  });

  test("a failure that is no record's ends the search", () => {
    const cut = beginCut(100);
    const first = nextPiece(cut);
    if (!first) throw new Error("no sample");
    const ended = afterPiece(cut, first, "everything");
    expect([nextPiece(ended), ended.isGeneral]).toEqual([undefined, false]);
  });

  test("a piece of which nothing is left costs no start; the largest is next, of equals the first", () => {
    const begun = beginCut(100);
    const [sample] = begun.waiting;
    if (!sample) throw new Error("no sample");
    expect(afterPiece(begun, sample, "went-on", false).starts).toBe(0);
    expect(afterPiece(begun, sample, "aborted", false).starts).toBe(0);
    const cut = afterPiece(begun, sample, "went-on");
    expect(cut).toMatchObject({
      starts: 1,
      phase: "pieces",
      waiting: [
        { from: 0, to: 50 },
        { from: 50, to: 100 },
      ],
    });
    expect(nextPiece(cut)).toEqual({ from: 0, to: 50 });
    expect(nextPiece({ ...cut, waiting: [{ from: 0, to: 1 }, ...cut.waiting] })).toEqual({ from: 0, to: 50 });
    expect(nextPiece({ ...cut, starts: 128 })).toBeUndefined();
    expect(nextPiece({ ...cut, starts: 127 })).toEqual({ from: 0, to: 50 });
    expect(nextPiece({ ...cut, phase: "ended" })).toBeUndefined();
  });

  test("an odd piece is cut with the larger half first, and samples are spread over all", () => {
    const begun = beginCut(7);
    const cut = afterPiece(begun, begun.waiting[0] as Piece, "went-on");
    expect(cut.waiting).toEqual([
      { from: 0, to: 4 },
      { from: 4, to: 7 },
    ]);
    expect(beginCut(1_000).waiting.map(({ from, to }) => [from, to - from])).toEqual([
      ...[500, 250, 750, 125, 625, 375, 875, 62].map((rank) => [rank, 1]),
    ]);
  });
});
