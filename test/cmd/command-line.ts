import { runCommand } from "citty";
import { canonicalArguments } from "../../cmd/cli/arguments.ts";
import type { Command, Group } from "../../cmd/cli/command.ts";
import { root } from "../../cmd/cli/commands.ts";
import { splitOperands } from "../../cmd/cli/operands.ts";
import type { Flags } from "../../cmd/flags/flag.ts";
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
export async function optionsGiven<O = object>(command: Command, line: string): Promise<O> {
  const args = command.args as Flags;
  const { rest } = splitOperands(command.spec.operands, args, splitWords(line, "line"));
  const rawArgs = canonicalArguments(args, rest);
  const { result } = await runCommand(
    { args, run: ({ args: given }) => readFlags(args, given) },
    { rawArgs },
  );
  return result as O;
}

/** The line that the user is told of a command line that is wrong; "taken" when it is right. */
export function toldOf(command: Command, line: string): Promise<string> {
  return optionsGiven(command, line).then(
    () => "taken",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/** What every command gets beside its own flags, when nothing is said of it. */
export const always = { quiet: false, verbose: false, color: "auto" } as const;

/** What a command that reaches rclone gets, when nothing is said of it. */
export const rcloneDefaults = {
  runtime: undefined,
  "rclone-image": undefined,
  "rclone-config": undefined,
  "rclone-conf-in-container": "/etc/rclone/rclone.conf",
  "pyxis-extra": [],
} as const;

/** What a command that lists the source gets, when nothing is said of it. */
export const listDefaults = {
  "image-check": true,
  "fast-list": true,
  "list-parallel": 1,
  "extra-lsjson-flags": [],
  "very-verbose": false,
  recursive: true,
  modtime: "server",
  hash: "auto",
  "run-id": undefined,
} as const;

/** What a command that renders a run gets, when nothing is said of it. */
export const renderDefaults = {
  partition: "transfer",
  "array-concurrency": undefined,
  "time-limit": "24:00:00",
  "cpus-per-task": 4,
  mem: "8G",
  "job-name": "xfer",
  "max-attempts": 5,
  "max-restarts": 50,
  "stop-lead": undefined,
  "sbatch-extras": [],
  "agent-path": undefined,
  "rclone-flags": [
    ...["--transfers", "32", "--checkers", "64", "--fast-list"],
    ...["--retries", "10", "--low-level-retries", "20"],
  ],
  "add-rclone-flags": [],
  metadata: undefined,
  "create-bucket": false,
} as const;
