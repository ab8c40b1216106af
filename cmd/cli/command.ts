import type { CommandDef } from "citty";
import type { Flags, OptionsOf } from "../flags/flag.ts";

/** A command line that works as it stands, and what it is for. */
export interface Example {
  readonly says: string;
  readonly line: string;
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
  /** Gets the flags' values, all valid. Returns the exit code; nothing is 0. */
  run(options: OptionsOf<F>): Promise<number | undefined> | Promise<void>;
}

/** A command as citty runs it, with its declaration. */
export type Command = CommandDef & { readonly spec: CommandSpec<Flags> };

/** A group of commands. */
export interface GroupSpec {
  readonly name: string;
  readonly description: string;
  readonly examples?: readonly Example[];
}
