import { invalidInput } from "../system/errors.ts";
import { countFlags, type FlagCommand, type FlagKind, flagKind, longName } from "./flag-table.ts";

/** One flag of a command line, in whatever spelling the user wrote it. */
export interface GivenFlag {
  /** The long name without dashes, or the letter itself where xfer does not know it. */
  name: string;
  kind: FlagKind;
  /** The value: "true" or "false" for booleans, undefined where there is none. */
  value: string | undefined;
  /** The words that give rclone this flag alone. */
  words: string[];
  /** The name as the user wrote it. */
  spelling: string;
}

/**
 * Reads words as rclone does, by the rules of pflag (https://pkg.go.dev/github.com/spf13/pflag#hdr-Command_line_flag_syntax):
 *
 * | words | meaning |
 * |---|---|
 * | `--flag`, `-f` | a boolean that is true, or a counter |
 * | `--flag=value`, `-f=value` | any flag with its value |
 * | `--flag value`, `-f value`, `-fvalue` | a flag that takes a value |
 * | `-uv` | two booleans |
 *
 * A flag that xfer does not know takes the next word, unless that word begins with a dash. Then both are read as flags, and
 * none can hide behind the other. Throws invalid input, naming `where`, for words that are no flags.
 */
export function parseFlagWords(words: readonly string[], command: FlagCommand, where: string): GivenFlag[] {
  const flags: GivenFlag[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const next = words[at + 1];
    const read = word.startsWith("--")
      ? readLong(word, next, command, where)
      : readShort(word, next, command, where);
    flags.push(...read.flags);
    if (read.tookNext) at++;
  }
  return flags;
}

interface Read {
  flags: GivenFlag[];
  tookNext: boolean;
}

function readLong(word: string, next: string | undefined, command: FlagCommand, where: string): Read {
  const match = /^--([^=-][^=]*)(?:=(.*))?$/s.exec(word);
  if (!match) throw invalidInput(`${where}: ${JSON.stringify(word)} is no flag`);
  const [, name = "", inline] = match;
  const kind = flagKind(command, name);
  const spelling = `--${name}`;
  if (inline !== undefined) {
    return { flags: [flagOf({ name, kind, spelling, words: [word] }, inline, where)], tookNext: false };
  }
  return withNext({ name, kind, spelling, words: [spelling] }, next, where);
}

type Named = Omit<GivenFlag, "value">;

/** Reads a flag without a value in its own word. The next word is its value if the flag takes one. */
function withNext(flag: Named, next: string | undefined, where: string): Read {
  if (flag.kind === "boolean") return { flags: [flagOf(flag, undefined, where)], tookNext: false };
  const takes = flag.kind === "value" ? next !== undefined : next !== undefined && !next.startsWith("-");
  if (!takes || next === undefined) {
    if (flag.kind === "value") throw invalidInput(`${where}: ${flag.spelling} has no value`);
    return { flags: [{ ...flag, value: undefined }], tookNext: false };
  }
  return { flags: [{ ...flag, value: next, words: [...flag.words, next] }], tookNext: true };
}

function readShort(word: string, next: string | undefined, command: FlagCommand, where: string): Read {
  if (!/^-[A-Za-z0-9]/.test(word)) {
    throw invalidInput(
      `${where}: ${JSON.stringify(word)} is no flag (the value of a boolean is written --flag=false)`,
    );
  }
  const flags: GivenFlag[] = [];
  for (let rest = word.slice(1); rest !== ""; ) {
    const letter = rest.slice(0, 1);
    rest = rest.slice(1);
    const name = longName(command, letter);
    const kind = name === undefined ? "unknown" : flagKind(command, name);
    const spelling = `-${letter}`;
    const flag = { name: name ?? letter, kind, spelling, words: [spelling] };
    if (rest.startsWith("=")) {
      const value = rest.slice(1);
      flags.push(flagOf({ ...flag, words: [`${spelling}=${value}`] }, value, where));
      return { flags, tookNext: false };
    }
    if (kind === "value" && rest !== "") {
      flags.push({ ...flag, value: rest, words: [`${spelling}${rest}`] });
      return { flags, tookNext: false };
    }
    if (kind === "boolean" || rest !== "") {
      flags.push(flagOf(flag, undefined, where));
      continue;
    }
    const read = withNext(flag, next, where);
    return { flags: [...flags, ...read.flags], tookNext: read.tookNext };
  }
  return { flags, tookNext: false };
}

function flagOf(flag: Named, inline: string | undefined, where: string): GivenFlag {
  if (flag.kind !== "boolean" || countFlags.has(flag.name)) return { ...flag, value: inline };
  const value = inline === undefined ? true : parseBoolean(inline);
  if (value === undefined) throw invalidInput(`${where}: ${flag.spelling} must be true or false`);
  return { ...flag, value: String(value) };
}

/** Reads a boolean as Go does: https://pkg.go.dev/strconv#ParseBool */
export function parseBoolean(text: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  return undefined;
}
