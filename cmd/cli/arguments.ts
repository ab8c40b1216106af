import { parseArgs } from "node:util";
import type { ArgsDef } from "citty";
import { type Flag, listSeparator } from "../flags/flag.ts";
import { UnknownFlag, UsageError } from "./usage-error.ts";

/** Flags that are another way to write a flag with a value. */
const shorthands: Readonly<Record<string, readonly [string, string]>> = { "no-modtime": ["modtime", "none"] };

/** Flags whose value may look like any flag, since it is made of another program's flags. */
const passThrough = new Set([
  "--rclone-flags",
  "--add-rclone-flags",
  "--extra-lsjson-flags",
  "--sbatch-extras",
  "--pyxis-extra",
  "--base-flags",
]);

/** Whether a word is the value of such a flag, by the word before it. */
export const isValueOf = (before: string | undefined): boolean =>
  before !== undefined && passThrough.has(before);

/** A flag as it may be written: by its own name, or by another one. */
interface Spelling {
  /** Its own name. */
  readonly name: string;
  readonly takesValue: boolean;
  readonly short: string | undefined;
}

type Spellings = ReadonlyMap<string, Spelling>;

/** A flag as it was given. */
interface Given {
  readonly name: string;
  /** How it was written: "--container-conf-path". */
  readonly written: string;
  /** Its value; whether it is on, for a switch. */
  readonly value: string | boolean;
}

/**
 * Checks a command's words against its declared flags and gives them back as `--flag=value`, `--flag` and `--no-flag`, by
 * the flags' own names. Throws a usage error for anything that is not declared.
 */
export function canonicalArguments(args: ArgsDef, words: readonly string[]): string[] {
  const spellings = spellingsOf(args);
  const given = givenFlags(spellings, joinValues(words, spellings));
  requireOneValue(given.filter(({ name }) => !isList(args, name)));
  for (const [name, def] of Object.entries(args)) {
    if (def.type !== "boolean" && def.required && !given.some((one) => one.name === name))
      throw new UsageError(`--${name} is missing`);
  }
  const canonical = joinLists(args, given).map(({ name, value }) => {
    if (typeof value === "string") return `--${name}=${value}`;
    return value ? `--${name}` : `--no-${name}`;
  });
  const isTwice = given.filter(({ name }) => name === "verbose").length > 1;
  return isTwice && spellings.has("very-verbose") ? [...canonical, "--very-verbose"] : canonical;
}

const isList = (args: ArgsDef, name: string): boolean =>
  (args[name] as Partial<Flag> | undefined)?.isList === true;

/** The values of a flag that may be given several times as one value, where its first one stands. */
function joinLists(args: ArgsDef, given: readonly Given[]): Given[] {
  const valuesOf = (name: string) =>
    given.filter((one) => one.name === name).map(({ value }) => String(value));
  const isFirst = (one: Given) => given.find(({ name }) => name === one.name) === one;
  return given.flatMap((one) => {
    if (!isList(args, one.name)) return [one];
    return isFirst(one) ? [{ ...one, value: valuesOf(one.name).join(listSeparator) }] : [];
  });
}

function spellingsOf(args: ArgsDef): Spellings {
  const spellings = new Map<string, Spelling>();
  for (const [name, def] of Object.entries(args)) {
    const short = "alias" in def && typeof def.alias === "string" ? def.alias : undefined;
    const takesValue = def.type !== "boolean";
    spellings.set(name, { name, takesValue, short });
    for (const other of (def as Partial<Flag>).otherNames ?? []) {
      spellings.set(other, { name, takesValue, short: undefined });
    }
  }
  return spellings;
}

/** Reads words in which each value stands with its flag. */
function givenFlags(spellings: Spellings, words: readonly string[]): Given[] {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const word of Object.keys(shorthands)) options[word] = { type: "boolean" };
  for (const [word, { takesValue, short }] of spellings) {
    const type = takesValue ? "string" : "boolean";
    options[word] = short === undefined ? { type } : { type, short };
  }
  const { tokens } = parseArgs({
    args: [...words],
    options,
    tokens: true,
    allowNegative: true,
    allowPositionals: true,
    strict: false,
  });
  return tokens.flatMap((token) => {
    if (token.kind === "option-terminator") return [];
    if (token.kind === "positional")
      throw new UsageError(`unexpected argument ${JSON.stringify(token.value)}`);
    return [givenFlag(spellings, { name: token.name, written: token.rawName, value: token.value })];
  });
}

/**
 * What a flag says. Throws a usage error for one that is not declared:
 *
 * | written | declared | is |
 * |---|---|---|
 * | `--flag=value`, `-f value` | takes a value | that value |
 * | `--flag`, `-f` | a switch | on |
 * | `--no-flag` | a switch | off |
 * | `--no-modtime` | `--modtime` | the value that it stands for |
 * | `--flag` | takes a value | an error |
 * | `--flag=value` | a switch | an error |
 * | `--no-flag` | takes a value | an error |
 */
function givenFlag(
  spellings: Spellings,
  token: { name: string; written: string; value: string | undefined },
): Given {
  const { written } = token;
  const word = written.slice(2);
  const shorthand = Object.hasOwn(shorthands, word) ? shorthands[word] : undefined;
  const isNegated = !shorthand && word.startsWith("no-") && !spellings.has(word);
  const spelling = spellings.get(shorthand?.[0] ?? (isNegated ? word.slice(3) : token.name));
  const value = shorthand?.[1] ?? token.value;
  if (!spelling || (isNegated && spelling.takesValue)) throw new UnknownFlag(written);
  const { name, takesValue } = spelling;
  if (!takesValue && value !== undefined) throw new UsageError(`${written} takes no value`);
  if (!takesValue) return { name, written, value: !isNegated };
  if (value === undefined) throw new UsageError(`${written} needs a value`);
  return { name, written, value };
}

/** Throws a usage error for a flag that has two values under two of its names. Under one name the last value counts. */
function requireOneValue(given: readonly Given[]): void {
  for (const one of given) {
    const other = given.find(
      ({ name, written, value }) =>
        name === one.name && value !== one.value && written !== one.written && typeof value === "string",
    );
    if (other && !isShorthand(one) && !isShorthand(other))
      throw new UsageError(`${one.written} and ${other.written} are one flag: give it one value`);
  }
}

const isShorthand = ({ written }: Given): boolean => Object.hasOwn(shorthands, written.slice(2));

/** Joins `--flag value` to `--flag=value` where the flag takes one, so that a value may begin with a dash. */
function joinValues(words: readonly string[], spellings: Spellings): string[] {
  const joined: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const next = words[i + 1];
    const takesValue = word.startsWith("--") && spellings.get(word.slice(2))?.takesValue;
    if (word === "--") return [...joined, ...words.slice(i)];
    if (!takesValue) joined.push(word);
    else if (next === undefined || (!passThrough.has(word) && isOwnFlag(next, spellings))) {
      throw new UsageError(`${word} needs a value`);
    } else {
      joined.push(`${word}=${next}`);
      i++;
    }
  }
  return joined;
}

function isOwnFlag(word: string, spellings: Spellings): boolean {
  const name = /^--([^=]+)/.exec(word)?.[1];
  return name !== undefined && spellings.has(name);
}
