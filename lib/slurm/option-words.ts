import { splitWords } from "../system/shell-words.ts";
import type { OptionTable } from "./option-table.ts";

/** One option of a Slurm program, whatever its spelling was. */
export interface SlurmOption {
  /** The long name of the option, or the name as it was written when the table does not have it. */
  name: string;
  value: string | undefined;
  /** The name as it was written. */
  spelling: string;
  known: boolean;
}

/** The options, or the first problem of the words. */
export type ReadOptions = { options: SlurmOption[] } | { problem: string };

/**
 * The lines of a text of options, without the marks of a batch script:
 *
 * | in the text, outside quotes | meaning |
 * |---|---|
 * | a line break, or `\n` as two characters | the end of a line |
 * | `#SBATCH` | left out; the end of a line, when it is not at the start of one |
 * | another `#` at the start of a word | a comment up to the end of the line: left out, as sbatch does |
 */
function optionLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .flatMap(splitLine)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** The forms that are looked for at each place of a line, in this order. */
const literalBreak = /(?:\\+r)?\\+n/y;
const directive = /#SBATCH(?=[\s-]|$)/y;
const comment = /#.*?(?=(?:\\+r)?\\+n|$)/y;
const quoted = /"(?:\\.|[^"\\])*"|'[^']*'|\\./y;

function splitLine(line: string): string[] {
  const lines = [""];
  const takes = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at;
    return pattern.exec(line)?.[0];
  };
  for (let at = 0; at < line.length; ) {
    const startsWord = /(?:^|\s)$/.test(lines.at(-1) ?? "");
    const end = takes(literalBreak, at) ?? (startsWord ? takes(directive, at) : undefined);
    const left = end ?? (startsWord ? takes(comment, at) : undefined);
    const kept = left === undefined ? (takes(quoted, at) ?? line.charAt(at)) : "";
    if (end !== undefined) lines.push("");
    lines[lines.length - 1] += kept;
    at += (left ?? kept).length;
  }
  return lines;
}

/**
 * Reads the options of a text as getopt_long(3) does for the program itself. A long name may be shortened, letters may be
 * joined, and a value follows its option or its `=`. Throws invalid input, naming `flag`, for a quote that is not closed.
 */
export function readOptionText(text: string, table: OptionTable, flag: string): ReadOptions {
  const options: SlurmOption[] = [];
  for (const line of optionLines(text)) {
    const read = readOptions(splitWords(line, flag), table);
    if ("problem" in read) return read;
    options.push(...read.options);
  }
  return { options };
}

/** Reads options from words. */
export function readOptions(words: readonly string[], table: OptionTable): ReadOptions {
  const options: SlurmOption[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const read = word.startsWith("--") ? readLong(word, table) : readShorts(word, table);
    if ("problem" in read) return read;
    const last = read.options.at(-1);
    if (last && needsValue(last, table)) {
      const next = words[++at];
      if (next === undefined || next.startsWith("--")) return { problem: `${last.spelling} has no value` };
      last.value = next;
    }
    options.push(...read.options);
  }
  return { options };
}

function needsValue({ name, value, known }: SlurmOption, table: OptionTable): boolean {
  return known && value === undefined && table.kinds.get(name) === "value";
}

function readLong(word: string, table: OptionTable): ReadOptions {
  const [, given = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (given === "") return { problem: `${JSON.stringify(word)} is no option` };
  const { names, exact } = namesOf(given, table);
  const spelling = `--${given}`;
  if (!exact && names.length > 1) {
    return { problem: `${spelling} is short for ${names.map((name) => `--${name}`).join(" and ")}` };
  }
  const [name = given] = names;
  if (value !== undefined && table.kinds.get(name) === "flag") {
    return { problem: `${spelling} takes no value` };
  }
  return { options: [{ name, value, spelling, known: names.length > 0 }] };
}

function namesOf(given: string, { kinds }: OptionTable): { names: string[]; exact: boolean } {
  if (kinds.has(given)) return { names: [given], exact: true };
  return { names: [...kinds.keys()].filter((name) => name.startsWith(given)), exact: false };
}

function readShorts(word: string, { kinds, shorts, program }: OptionTable): ReadOptions {
  if (!/^-[^-]/.test(word)) {
    return {
      problem: `${JSON.stringify(word)} is no option (a value that has blanks is quoted, one that may be left out follows a =)`,
    };
  }
  const options: SlurmOption[] = [];
  for (let rest = word.slice(1); rest !== ""; ) {
    const letter = rest.slice(0, 1);
    rest = rest.slice(1);
    const name = shorts.get(letter);
    if (name === undefined) return { problem: `${program} has no option -${letter}` };
    const takes = kinds.get(name) !== "flag" && rest !== "";
    options.push({ name, value: takes ? rest : undefined, spelling: `-${letter}`, known: true });
    if (takes) break;
  }
  return { options };
}

/** An option as one word: its long name, and its value after `=`. */
export function optionWord({ name, value }: SlurmOption): string {
  return value === undefined ? `--${name}` : `--${name}=${value}`;
}
