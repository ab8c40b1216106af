import type { Flags } from "../flags/flag.ts";
import { globalFlags } from "../flags/global.ts";
import type { CommandSpec, GroupSpec } from "./command.ts";

/** A command or a group, with all that is below it: help, man pages, completion and the reference are made from it. */
export interface CommandTree {
  readonly spec: CommandSpec<Flags> | GroupSpec;
  /** The commands below a group, in the order in which they are shown; none below a command. */
  readonly children: readonly CommandTree[];
}

/** The last word of a command's name: "build" of "xfer manifest build". */
export function lastWord(tree: CommandTree): string {
  return tree.spec.name.slice(tree.spec.name.lastIndexOf(" ") + 1);
}

/** The flags of a command, with those of every command. */
export function flagsOf({ spec }: CommandTree): Flags {
  return { ...("flags" in spec ? spec.flags : {}), ...globalFlags };
}

/** A tree and all trees below it, each before those below it. */
export function allOf(tree: CommandTree): CommandTree[] {
  return [tree, ...tree.children.flatMap(allOf)];
}

/** The tree that some words name; undefined when they name none. */
export function findTree(root: CommandTree, words: readonly string[]): CommandTree | undefined {
  let found: CommandTree | undefined = root;
  for (const word of words) found = found?.children.find((child) => lastWord(child) === word);
  return found;
}
