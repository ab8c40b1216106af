import type { Flags } from "../flags/flag.ts";
import { negativeOf } from "./flag-rows.ts";
import { allOf, type CommandTree, findTree, flagsOf, lastWord } from "./tree.ts";

/**
 * What somebody meant who wrote a command that there is not; undefined when there is no telling.
 *
 *   written           meant                 by
 *   build manifest    xfer manifest build   the same words in another order
 *   manifest-build    xfer manifest build   the same words, joined
 *   submit            xfer slurm submit     the last word of a command, in another group
 *   manifest biuld    xfer manifest build   a word that is like it, in this group first
 */
export function commandMeant(root: CommandTree, words: readonly string[]): string | undefined {
  const commands = allOf(root).slice(1);
  const split = words.flatMap((word) => word.split(/[-_:/.]+/)).filter((word) => word !== "");
  const wordsOf = (tree: CommandTree) => tree.spec.name.split(" ").slice(1);
  const reordered = commands.find((tree) => {
    const own = wordsOf(tree);
    return own.length > 1 && own.toSorted().join(" ") === split.slice(0, own.length).toSorted().join(" ");
  });
  if (reordered) return reordered.spec.name;
  const depth = words.findIndex((_, i) => !findTree(root, words.slice(0, i + 1)));
  const unknown = words[depth];
  const here = findTree(root, words.slice(0, depth));
  if (unknown === undefined || !here) return undefined;
  const inGroup = closest(unknown, here.children.map(lastWord));
  const elsewhere = inGroup ?? closest(unknown, commands.map(lastWord));
  const byLikeness = (inGroup === undefined ? commands : here.children).filter(
    (tree) => lastWord(tree) === elsewhere,
  );
  return byLikeness.length === 1 ? byLikeness[0]?.spec.name : undefined;
}

/** What is told of words that name no command where one is to be named. */
export function noCommandText(root: CommandTree, words: readonly string[]): string {
  const meant = commandMeant(root, words);
  const hint = meant === undefined ? "" : `: did you mean ${meant}?`;
  return `there is no command ${JSON.stringify(words.join(" "))}${hint}`;
}

/**
 * What is to be said of a flag that the command does not have: the flag that is like it, or the commands that do have it;
 * undefined when there is nothing to say.
 */
export function flagMeant(root: CommandTree, command: CommandTree, flag: string): string | undefined {
  const name = flag.replace(/^-+/, "");
  const own = namesOf(flagsOf(command));
  // "-source" is read as short flags.
  if (own.includes(name)) return `did you mean --${name}?`;
  const others = allOf(root).filter(
    (tree) => tree.spec.name !== command.spec.name && namesOf(flagsOf(tree)).includes(name),
  );
  if (others.length > 0) {
    const [first = "", ...more] = others.map(({ spec }) => spec.name);
    return `it is a flag of ${more.length > 2 ? `${first} and ${more.length} more commands` : listed([first, ...more])}`;
  }
  const meant = closest(name, own);
  return meant === undefined ? undefined : `did you mean --${meant}?`;
}

/** All names of some flags, in full, those of switches turned off included. */
function namesOf(flags: Flags): string[] {
  const names = Object.entries(flags).flatMap(([name, flag]) => [
    name,
    ...(flag.otherNames ?? []),
    ...(negativeOf(flag) === undefined ? [] : [`no-${name}`]),
  ]);
  return [...names, "help", "help-all"];
}

/**
 * The word that another one is most like: by few typing errors, else the only one that begins with it or has it between
 * its dashes; undefined when none is.
 */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const asked = word.toLowerCase().replaceAll("_", "-");
  const allowed = asked.length < 3 ? 0 : asked.length < 6 ? 1 : asked.length < 10 ? 2 : 3;
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: typingErrors(asked, candidate) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance);
  if (ranked[0]) return ranked[0].candidate;
  if (asked.length < 3) return undefined;
  const begun = candidates.filter((candidate) => candidate.startsWith(asked));
  if (begun.length === 1) return begun[0];
  const within = candidates.filter((candidate) => candidate.split("-").includes(asked));
  return within.length === 1 ? within[0] : undefined;
}

/** How many letters are to be put in, left out, replaced, or swapped with their neighbour to make one word the other. */
export function typingErrors(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const changed = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(isSwap ? Math.min(changed, (beforeLast[j - 2] ?? 0) + 1) : changed);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
