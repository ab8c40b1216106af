import type { CommandDef } from "citty";
import { globalFlags } from "../flags/global.ts";
import { isValueOf } from "./arguments.ts";
import type { Command, Group } from "./command.ts";
import { flagSpelled } from "./flag-rows.ts";

/** What the words of a command line lead to. */
export interface FoundCommand {
  /** "xfer manifest build". */
  readonly name: string;
  readonly command: Command | Group;
  /** The words after the command's own. */
  readonly rest: readonly string[];
  /** What is asked for in place of running it. */
  readonly asks?: "help" | "help-all" | "version";
  /** Why it cannot be run: a group has no such word, or none is given. */
  readonly problem?: { readonly kind: "missing" } | UnknownWord;
}

/** A word that a group does not have, with all that follows it. */
interface UnknownWord {
  readonly kind: "unknown";
  readonly words: readonly string[];
}

/** Follows the words to their command. Flags of every command may stand before its words, too. */
export async function findCommand(root: Group, argv: readonly string[]): Promise<FoundCommand> {
  let command: Command | Group = root;
  let name = "xfer";
  let rest = [...argv];
  const before: string[] = [];
  for (;;) {
    const children = childrenOf(command);
    const found = { name, command, rest: [...before, ...rest] };
    if (!children) return { ...found, ...askedIn(found.rest) };
    const word = rest[0];
    if (word === undefined) return { ...found, problem: { kind: "missing" } };
    if (word === "--version" && command === root) return { ...found, asks: "version" };
    if (helpWords.has(word)) return { ...found, ...askedIn([word]) };
    const load = Object.hasOwn(children, word) ? children[word] : undefined;
    const taken = load ? 0 : globalWords(rest);
    if (load) {
      command = await load();
      name = `${name} ${word}`;
      rest = rest.slice(1);
    } else if (taken > 0) {
      before.push(...rest.slice(0, taken));
      rest = rest.slice(taken);
    } else return { ...found, problem: { kind: "unknown", words: rest } };
  }
}

type Loaders = Readonly<Record<string, () => Promise<Command | Group>>>;

function childrenOf({ subCommands }: CommandDef): Loaders | undefined {
  return subCommands as Loaders | undefined;
}

const helpWords = new Set(["--help", "-h", "--help-all"]);

/** A lone --help is a request; "--rclone-flags --help" is a value. */
function askedIn(words: readonly string[]): Pick<FoundCommand, "asks"> {
  const end = words.indexOf("--");
  const own = end < 0 ? words : words.slice(0, end);
  const asked = own.filter((word, i) => helpWords.has(word) && !isValueOf(own[i - 1]));
  if (asked.includes("--help-all")) return { asks: "help-all" };
  return asked.length > 0 ? { asks: "help" } : {};
}

/** How many words at the start are a flag of every command, with its value. */
function globalWords([word = "", value]: readonly string[]): number {
  if (/^-[qv]+$/.test(word)) return 1;
  const flag = flagSpelled(globalFlags, word.replace(/=.*$/s, ""));
  if (!flag) return 0;
  return flag.type === "string" && !word.includes("=") && value !== undefined ? 2 : 1;
}
