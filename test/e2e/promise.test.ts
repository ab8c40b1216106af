import { expect, test } from "bun:test";
import { Programs } from "../promise/round.ts";
import { describeBroken, playRounds } from "../promise/rounds.ts";
import { limitMs } from "../setup/pace.ts";

/** The same rounds in every run of the tests; `bun run soak` plays others. */
const base = 20_261_122;
const roundsTotal = 240;

test(
  `the promise holds in ${roundsTotal} random rounds of base seed ${base}`,
  async () => {
    using programs = await Programs.prepare();
    const rounds = { base, first: 0, count: roundsTotal, sideBySide: 2, stopAtFirst: true };
    const [broken] = await playRounds(rounds, programs);
    expect(broken === undefined ? "" : await describeBroken(broken, programs)).toBe("");
  },
  limitMs(900_000),
);
