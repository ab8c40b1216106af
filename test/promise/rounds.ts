import { seedOfRound } from "./draw.ts";
import { isUtf8, type Name, textOf } from "./names.ts";
import { type Violation, violationsOf } from "./oracle.ts";
import { type Programs, playRound } from "./round.ts";
import { drawScenario, type Scenario } from "./scenario.ts";
import { smaller } from "./shrink.ts";

/** A round in which the promise did not hold. */
export interface Broken {
  seed: number;
  violations: Violation[];
}

/** How many rounds go on side by side, of which seeds, and when they end. */
export interface Rounds {
  base: number;
  first: number;
  count: number;
  sideBySide: number;
  stopAtFirst: boolean;
  each?: (seed: number, broken: Broken | undefined, done: number) => void;
}

/** Plays the round of a seed and says what of the promise did not hold. */
export async function judge(scenario: Scenario, programs: Programs): Promise<Violation[]> {
  return violationsOf(scenario, await playRound(scenario, programs));
}

/** Plays the rounds of a base seed; gives those in which the promise did not hold. */
export async function playRounds(rounds: Rounds, programs: Programs): Promise<Broken[]> {
  const broken: Broken[] = [];
  let next = rounds.first;
  let done = 0;
  const end = rounds.first + rounds.count;
  const isOver = () => next >= end || (rounds.stopAtFirst && broken.length > 0);
  const worker = async () => {
    while (!isOver()) {
      const seed = seedOfRound(rounds.base, next++);
      const violations = await judge(drawScenario(seed), programs);
      const found = violations.length > 0 ? { seed, violations } : undefined;
      if (found) broken.push(found);
      rounds.each?.(seed, found, ++done);
    }
  };
  await Promise.all(Array.from({ length: rounds.sideBySide }, worker));
  return broken;
}

/** What a person needs to see a broken round again: its seed, how to play it alone, and a smaller one of the kind. */
export async function describeBroken({ seed, violations }: Broken, programs: Programs): Promise<string> {
  const rule = violations[0]?.rule;
  const least = await smaller(drawScenario(seed), async (scenario) =>
    (await judge(scenario, programs)).some((violation) => violation.rule === rule),
  );
  const again = await judge(least, programs);
  return [
    `the promise does not hold in the round of seed ${seed}; alone: bun run soak --seed ${seed}`,
    ...violations.slice(0, 10).map(linesOf),
    `a smaller round: ${sketch(least)}`,
    ...again.slice(0, 5).map(linesOf),
  ].join("\n");
}

export const linesOf = ({ rule, what }: Violation): string => `  ${rule}: ${what}`;

/** A round in a few lines. */
export function sketch({ objects, present, closed, faults, seed: _, ...rest }: Scenario): string {
  const shown = (name: Name) => JSON.stringify(textOf(name)) + (isUtf8(name) ? "" : " (no UTF-8)");
  const list = (of: readonly { name: Name; size: number }[]) =>
    of.map(({ name, size }) => `${shown(name)} ${size} B`).join(", ");
  const named = faults.map(({ name, ...fault }) => ({ ...fault, ...(name && { of: textOf(name) }) }));
  return [
    JSON.stringify(rest),
    `    objects: ${list(objects.slice(0, 60))}`,
    ...(present.length > 0 ? [`    at the destination: ${list(present.slice(0, 60))}`] : []),
    ...(closed.length > 0 ? [`    not to be read: ${closed.map(shown).join(", ")}`] : []),
    ...(faults.length > 0 ? [`    faults: ${JSON.stringify(named)}`] : []),
  ].join("\n");
}
