import { parseArgs } from "node:util";
import { Programs } from "./round.ts";
import { describeBroken, judge, linesOf, playRounds, sketch } from "./rounds.ts";
import { drawScenario } from "./scenario.ts";

/**
 * `bun run soak`: thousands of random rounds of the promise, of a fresh base seed, to the first that breaks it.
 * `--rounds N`, `--base SEED`, `--side-by-side N`, `--go-on` (past broken rounds), `--seed SEED` (one round alone).
 */
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5000" },
    base: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
    "side-by-side": { type: "string", default: "2" },
    "go-on": { type: "boolean", default: false },
    seed: { type: "string" },
  },
});

using programs = await Programs.prepare();
if (values.seed === undefined) await soak();
else await playOne(Number(values.seed));

async function playOne(seed: number): Promise<void> {
  const scenario = drawScenario(seed);
  process.stdout.write(`${sketch(scenario)}\n`);
  const violations = await judge(scenario, programs);
  process.stdout.write(
    `${violations.length === 0 ? "the promise holds" : violations.map(linesOf).join("\n")}\n`,
  );
  if (violations.length > 0) process.exitCode = 1;
}

async function soak(): Promise<void> {
  const [base, count] = [Number(values.base), Number(values.rounds)];
  const begun = Date.now();
  process.stdout.write(`base seed ${base}, ${count} rounds\n`);
  const broken = await playRounds(
    {
      base,
      first: 0,
      count,
      sideBySide: Number(values["side-by-side"]),
      stopAtFirst: !values["go-on"],
      each: (seed, found, done) => {
        if (found)
          process.stdout.write(
            `broken: seed ${seed}\n${found.violations.slice(0, 5).map(linesOf).join("\n")}\n`,
          );
        if (done % 50 === 0)
          process.stdout.write(`${done} rounds, ${((Date.now() - begun) / 1000 / done).toFixed(2)} s each\n`);
      },
    },
    programs,
  );
  const first = broken[0];
  if (first === undefined) return;
  process.exitCode = 1;
  process.stdout.write(`${await describeBroken(first, programs)}\n`);
}
