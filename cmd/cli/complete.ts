import type { Flag } from "../flags/flag.ts";
import { flagSpelled, hintOf, negativeOf, spellingsOf } from "./flag-rows.ts";
import { type CommandTree, flagsOf, lastWord } from "./tree.ts";

/** A word that may stand at the cursor, and what it means. */
interface Candidate {
  readonly word: string;
  readonly says: string;
}

/** What a shell offers at the cursor: these words, or names of files or folders, which the shell knows best. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly names?: "file" | "folder";
}

const nothing: Completion = { candidates: [] };

/**
 * What may stand in place of the last of these words, which are all words of the line up to the cursor but the program's.
 *
 *   words                           candidates
 *   ""                              the commands
 *   run --ex                        flags that begin so, and were not given yet
 *   run --executor ""               the flag's values, or names of files
 *   run --executor=l                the same, each with `--executor=` before it
 *   run ""                          common flags: a command takes nothing else
 *   help manifest ""                the commands of the group
 */
export function complete(root: CommandTree, words: readonly string[]): Completion {
  const current = words.at(-1) ?? "";
  const given = words.slice(0, -1);
  const { tree, rest } = descend(root, given);
  if (tree.children.length > 0) return rest.length > 0 ? nothing : inGroup(tree, current);
  const flags = flagsOf(tree);
  const before = rest.at(-1);
  const asked = before === undefined ? undefined : flagSpelled(flags, before);
  if (asked?.type === "string") return valuesOf(asked, current);
  const [, start = "", name = "", value = ""] = /^((--[^=]+)=)(.*)$/s.exec(current) ?? [];
  const assigned = flagSpelled(flags, name);
  if (start !== "")
    return assigned?.type === "string" ? withStart(start, valuesOf(assigned, value)) : nothing;
  if (!current.startsWith("-")) {
    const operands = operandsOf(root, tree, rest, current);
    if (operands) return operands;
  }
  return { candidates: flagsAt(tree, rest, current) };
}

/** The lines that the scripts of the shells read: a word and what it means, and last what else is to be offered. */
export function completionLines({ candidates, names }: Completion): string {
  const lines = candidates.map(({ word, says }) => `${word}\t${says}`);
  return `${[...lines, `:${names ?? "words"}`].join("\n")}\n`;
}

/**
 * The words of a line as bash gives them, which divides at `=` and `:` too: "--a", "=", "b" is "--a=b". `typed` is the part
 * of the last word that bash keeps as it is.
 */
export function joinBashWords(words: readonly string[]): { words: string[]; typed: string } {
  const joined: string[] = [];
  let joins = false;
  for (const word of words) {
    const isBreak = /^[=:]+$/.test(word) && joined.length > 0;
    if (isBreak || joins) joined.push(`${joined.pop() ?? ""}${word}`);
    else joined.push(word);
    joins = isBreak;
  }
  const [current = "", last = ""] = [joined.at(-1), words.at(-1)];
  const typed = /^[=:]+$/.test(last) ? current : current.slice(0, current.length - last.length);
  return { words: joined, typed };
}

/** A completion without the part of each word that the shell keeps as it is. */
export function withoutStart(start: string, { candidates, ...others }: Completion): Completion {
  const own = candidates.filter(({ word }) => word.startsWith(start));
  return { ...others, candidates: own.map(({ word, says }) => ({ word: word.slice(start.length), says })) };
}

function withStart(start: string, { candidates, ...others }: Completion): Completion {
  return { ...others, candidates: candidates.map(({ word, says }) => ({ word: start + word, says })) };
}

/** The command that words lead to, and the words after its own. */
function descend(
  root: CommandTree,
  words: readonly string[],
): { tree: CommandTree; rest: readonly string[] } {
  let tree = root;
  for (const [i, word] of words.entries()) {
    const child = tree.children.find((one) => lastWord(one) === word);
    if (!child) return { tree, rest: words.slice(i) };
    tree = child;
  }
  return { tree, rest: [] };
}

function inGroup(tree: CommandTree, current: string): Completion {
  const commands = tree.children.map((child) => ({ word: lastWord(child), says: child.spec.description }));
  const help = [{ word: "--help", says: "show help" }];
  return { candidates: begins(current.startsWith("-") ? help : commands, current) };
}

function valuesOf(flag: Flag, current: string): Completion {
  if (flag.completes !== undefined) return { candidates: [], names: flag.completes };
  const values = (flag.offers?.() ?? flag.values ?? []).map((word) => ({ word, says: "" }));
  return { candidates: begins(values, current) };
}

/** What a command takes beside flags; undefined when it takes nothing more. */
function operandsOf(
  root: CommandTree,
  { spec }: CommandTree,
  rest: readonly string[],
  current: string,
): Completion | undefined {
  const operands = "flags" in spec ? spec.operands : undefined;
  const given = rest.filter((word) => !word.startsWith("-"));
  if (!operands) return undefined;
  if (operands.completes)
    return given.length < operands.most ? { candidates: [], names: operands.completes } : undefined;
  if (operands.values) {
    const all = typeof operands.values === "function" ? operands.values() : operands.values;
    const values = all.filter((word) => !given.includes(word)).map((word) => ({ word, says: "" }));
    return given.length >= operands.most ? undefined : { candidates: begins(values, current) };
  }
  const named = descend(root, given);
  return named.rest.length === 0 && named.tree.children.length > 0 ? inGroup(named.tree, current) : undefined;
}

/** The flags that are not on the line yet: common ones, or by their beginning all of them. */
function flagsAt(tree: CommandTree, rest: readonly string[], current: string): Candidate[] {
  const all = Object.entries(flagsOf(tree)).flatMap(([name, flag]) => {
    const negative = negativeOf(flag);
    const isGiven = [...spellingsOf(name, flag), `--no-${name}`].some((spelling) =>
      rest.some((word) => word === spelling || word.startsWith(`${spelling}=`)),
    );
    if ((isGiven && !flag.isList) || (current === "" && !flag.common)) return [];
    const hint = hintOf(flag);
    const positive = { word: `--${name}`, says: hint ? `${hint}: ${flag.description}` : flag.description };
    return negative === undefined ? [positive] : [positive, { word: `--no-${name}`, says: negative }];
  });
  const help = [
    { word: "--help", says: "show help" },
    { word: "--help-all", says: "show all flags" },
  ];
  return begins([...all, ...help], current);
}

function begins(candidates: readonly Candidate[], start: string): Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(start));
}
