import type { CommandDef } from "citty";
import { withClusterFlags } from "../flags/cluster.ts";
import type { Flags, OptionsOf } from "../flags/flag.ts";
import { globalFlags } from "../flags/global.ts";
import { readFlags } from "../flags/read.ts";

/** A command line that works as it stands, and what it is for. */
export interface Example {
  readonly says: string;
  readonly line: string;
}

/** Words that a command takes beside its flags. */
export interface Operands {
  /** As the usage shows them: "[COMMAND...]". */
  readonly usage: string;
  /** All that they may be, where it is a list, or what makes that list; else they are words of a command. */
  readonly values?: readonly string[] | (() => readonly string[]);
  /** What completion offers, where they are names of files or folders. */
  readonly completes?: "file" | "folder";
  /** How many there may be at most. */
  readonly most: number;
}

/** What a command may know of the command line beside its flags. */
export interface Call {
  readonly operands: readonly string[];
  /** What --color says. */
  readonly color: string | undefined;
  /** All commands, for those that tell of commands. */
  readonly root: Group;
}

/** All that is known of a command: what runs it, and what its help, man page, completion and reference show. */
export interface CommandSpec<F extends Flags> {
  /** Its words, from the first on: "xfer manifest build". */
  readonly name: string;
  /** What it does: one line, without a full stop. */
  readonly description: string;
  /** More about it, a paragraph each, for --help-all, the man page and the reference. */
  readonly details?: readonly string[];
  readonly examples?: readonly Example[];
  readonly flags: F;
  /** The words that it takes beside its flags; without it, none. */
  readonly operands?: Operands;
  /** Called by scripts alone, and so shown nowhere. */
  readonly isInternal?: boolean;
  /** Gets the flags' values, all valid. Returns the exit code; nothing is 0. */
  run(options: OptionsOf<F>, call: Call): Promise<number | undefined> | Promise<void>;
}

/** A command as citty runs it, with its declaration. */
export type Command = CommandDef & { readonly spec: CommandSpec<Flags> };

/** A group of commands. */
export interface GroupSpec {
  readonly name: string;
  readonly description: string;
  /** Called by xfer alone, and so shown nowhere. */
  readonly isInternal?: boolean;
  readonly details?: readonly string[];
  readonly examples?: readonly Example[];
}

/** A group as citty runs it, with its declaration. */
export type Group = CommandDef & { readonly spec: GroupSpec };

/** What reads a command or a group when it is asked for. */
type Loaders = Readonly<Record<string, () => Promise<{ default: Command | Group }>>>;

/**
 * Makes a command of its declaration. It takes the flags of every command beside its own; one that can be handed over to a
 * cluster takes --explain, too.
 */
export function command<F extends Flags>(spec: CommandSpec<F>): Command {
  const flags = withClusterFlags(spec.flags);
  const args = { ...flags, ...globalFlags };
  return {
    meta: { name: spec.name, description: spec.description },
    args,
    run: ({ args: given, data }) =>
      spec.run(readFlags({ ...spec.flags, ...globalFlags }, given), data as Call),
    spec: { ...spec, flags } as unknown as CommandSpec<Flags>,
  };
}

/** Makes a group of its declaration and of what reads its commands. */
export function group(spec: GroupSpec, commands: Loaders): Group {
  const subCommands = Object.fromEntries(
    Object.entries(commands).map(([name, load]) => [name, () => load().then((module) => module.default)]),
  );
  return { meta: { name: spec.name, description: spec.description }, subCommands, spec };
}
