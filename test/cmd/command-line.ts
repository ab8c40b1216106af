import { runCommand } from "citty";
import { canonicalArguments } from "../../cmd/cli/arguments.ts";
import type { Command, Group } from "../../cmd/cli/command.ts";
import { root } from "../../cmd/cli/commands.ts";
import { splitOperands } from "../../cmd/cli/operands.ts";
import type { Flags, OptionsOf } from "../../cmd/flags/flag.ts";
import { readFlags } from "../../cmd/flags/read.ts";
import { splitWords } from "../../lib/system/shell-words.ts";

/** All commands by their words, such as "manifest build". */
export async function allCommands(): Promise<Map<string, Command>> {
  const found = new Map<string, Command>();
  const walk = async (one: Command | Group, words: string[]) => {
    const below = one.subCommands as Record<string, () => Promise<Command | Group>> | undefined;
    if (!below) found.set(words.join(" "), one as Command);
    for (const [name, load] of Object.entries(below ?? {})) await walk(await load(), [...words, name]);
  };
  await walk(root, []);
  return found;
}

/** What a command's run gets of a command line's flags, without running anything. Throws what the user would be told. */
export async function optionsGiven(
  command: Command,
  line: string,
): Promise<Readonly<Record<string, unknown>>> {
  const args = command.args as Flags;
  const { rest } = splitOperands(command.spec.operands, args, splitWords(line, "line"));
  const rawArgs = canonicalArguments(args, rest);
  const { result } = await runCommand(
    { args, run: ({ args: given }) => readFlags(args, given) },
    { rawArgs },
  );
  return result as OptionsOf<Flags>;
}

/** The line that the user is told of a command line that is wrong; "taken" when it is right. */
export function toldOf(command: Command, line: string): Promise<string> {
  return optionsGiven(command, line).then(
    () => "taken",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}
