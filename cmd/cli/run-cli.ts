import { type ArgsDef, type CommandDef, renderUsage, runCommand } from "citty";
import { errnoOf, exitCodes, messageOf, XferError } from "../../lib/system/errors.ts";
import { outputFailure, printText } from "../view/print.ts";
import { canonicalArguments, isValueOf } from "./arguments.ts";
import { errorChain } from "./error-chain.ts";
import { UsageError } from "./usage-error.ts";

/**
 * What citty leaves open, closed: a flag that is not declared, an extra argument, a missing value or flag end with
 * exit code 2 before anything is done; a value may begin with a dash; help is on stdout only when it was asked for.
 */

// citty's own declaration of subcommands: any command, whatever its arguments.
// biome-ignore lint/suspicious/noExplicitAny: CommandDef is invariant in its arguments, as citty declares it
type Command = CommandDef<any>;

/** Runs the command that the arguments name and returns the exit code; prints errors on stderr, one line each. */
export async function runCli(root: Command, argv: readonly string[]): Promise<number> {
  const code = await runCommandOf(root, argv);
  const failure = outputFailure();
  if (!failure) return code;
  return Math.max(code, reportError(failure, "xfer"));
}

async function runCommandOf(root: Command, argv: readonly string[]): Promise<number> {
  let name = "xfer";
  try {
    const found = await findCommand(root, argv);
    name = found.name;
    if (found.help) {
      await printText(`${await usage(found.command)}\n`);
      return exitCodes.done;
    }
    if (found.version !== undefined) {
      await printText(`${found.version}\n`);
      return exitCodes.done;
    }
    const args = ((await resolve(found.command.args)) ?? {}) as ArgsDef;
    const rawArgs = canonicalArguments(args, found.rest);
    const { result } = await runCommand(found.command, { rawArgs });
    return typeof result === "number" ? result : exitCodes.done;
  } catch (error) {
    return reportError(error, name);
  }
}

interface FoundCommand {
  name: string;
  command: Command;
  rest: string[];
  help: boolean;
  version: string | undefined;
}

async function findCommand(root: Command, argv: readonly string[]): Promise<FoundCommand> {
  let command = root;
  let name = "xfer";
  const rest = [...argv];
  for (;;) {
    const children = (await resolve(command.subCommands)) as Record<string, unknown> | undefined;
    const help = rest.slice(0, rest.includes("--") ? rest.indexOf("--") : undefined);
    if (!children) return { name, command, rest, help: asksForHelp(help), version: undefined };
    const word = rest.shift();
    if (word === "--help" || word === "-h") return { name, command, rest, help: true, version: undefined };
    if (word === "--version" && command === root) {
      const meta = await resolve(command.meta);
      return { name, command, rest, help: false, version: meta?.version ?? "" };
    }
    if (word === undefined) {
      throw new UsageError(
        `a command is missing after "${name}": one of ${Object.keys(children).join(", ")}`,
        name,
      );
    }
    if (!Object.hasOwn(children, word)) {
      const what = word.startsWith("-") ? "flag" : "command";
      throw new UsageError(
        `unknown ${what} ${JSON.stringify(word)} after "${name}": it has ${Object.keys(children).join(", ")}`,
        name,
      );
    }
    command = await resolve(children[word] as Command);
    name = `${name} ${word}`;
  }
}

function asksForHelp(words: readonly string[]): boolean {
  // "--rclone-flags --help" is a value; a lone --help is a request.
  return words.some((word, i) => (word === "--help" || word === "-h" ? !isValueOf(words[i - 1]) : false));
}

function resolve<T>(value: T | (() => T | Promise<T>) | Promise<T>): T | Promise<T> {
  return typeof value === "function" ? (value as () => T | Promise<T>)() : value;
}

async function usage(command: Command): Promise<string> {
  const text = (await renderUsage(command)).replace(/[ \t]+$/gm, "");
  return process.stdout.isTTY && !process.env.NO_COLOR ? text : Bun.stripANSI(text);
}

/** The one place where an error becomes a line on stderr and an exit code. */
export function reportError(error: unknown, name: string): number {
  const line = (text: string) => process.stderr.write(`xfer: ${text}\n`);
  const isExpected = error instanceof XferError || errnoOf(error) !== undefined;
  const stacks = process.env[debugVariable] ? errorChain(error) : [];
  if (error instanceof UsageError) line(`${messageOf(error)} (see ${error.command ?? name} --help)`);
  else if (isExpected) line(messageOf(error));
  else {
    const more = stacks.length === 0 ? `; ${debugVariable}=1 shows the stack` : "";
    line(`internal error: ${messageOf(error)}${more}`);
  }
  for (const stack of stacks) line(stack);
  return error instanceof XferError ? error.exitCode : exitCodes.failed;
}

/** Set to anything, it shows where in xfer an error came from, and what caused it. */
const debugVariable = "XFER_DEBUG";
