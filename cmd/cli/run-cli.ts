import { runCommand } from "citty";
import { errnoOf, exitCodes, messageOf, XferError } from "../../lib/system/errors.ts";
import { setColors, setVerbosity } from "../../lib/system/log.ts";
import { globalFlags } from "../flags/global.ts";
import { outputFailure, printText } from "../view/print.ts";
import { canonicalArguments } from "./arguments.ts";
import { clusterOf } from "./cluster-of.ts";
import { isColored } from "./colors.ts";
import type { Call, Command, Group } from "./command.ts";
import { errorChain } from "./error-chain.ts";
import { type FoundCommand, findCommand } from "./find-command.ts";
import { splitOperands } from "./operands.ts";
import { UnknownFlag, UsageError } from "./usage-error.ts";

/**
 * What citty leaves open, closed: a flag that is not declared, an extra argument, a missing value or flag end with
 * exit code 2 before anything is done; a value may begin with a dash; help is on stdout only when it was asked for.
 * What only a person needs (help, hints) is read when it is shown: an agent starts without it.
 */

/** Runs the command that the arguments name and returns the exit code; prints errors on stderr, one line each. */
export async function runCli(root: Group, argv: readonly string[]): Promise<number> {
  const code = await runCommandOf(root, argv);
  const failure = outputFailure();
  if (!failure) return code;
  return Math.max(code, reportError(failure, "xfer"));
}

async function runCommandOf(root: Group, argv: readonly string[]): Promise<number> {
  let name = "xfer";
  try {
    const found = await findCommand(root, argv);
    name = found.name;
    if (found.problem) return await tellProblem(root, found);
    if (found.asks === "version") {
      const { version } = (await found.command.meta) as { version?: string };
      await printText(`${version ?? ""}\n`);
      return exitCodes.done;
    }
    if (found.asks) {
      await printText(await helpOf(found, process.stdout));
      return exitCodes.done;
    }
    return await runFound(root, found, found.command as Command);
  } catch (error) {
    return reportError(error, name);
  }
}

async function runFound(root: Group, { name, rest }: FoundCommand, command: Command): Promise<number> {
  const flags = { ...command.spec.flags, ...globalFlags };
  try {
    const { operands, rest: words } = splitOperands(command.spec.operands, flags, rest);
    const rawArgs = canonicalArguments(flags, words);
    const color = colorIn(rawArgs);
    setLogging(rawArgs, isColored(color, process.stderr, process.env));
    if (rawArgs.includes("--explain")) {
      const { explained } = await import("./explain.ts");
      if (await explained(command.spec, rawArgs)) return exitCodes.done;
    }
    const cluster = clusterOf(flags, rawArgs, process.env);
    if (cluster !== undefined) {
      const { handOver } = await import("./hand-over.ts");
      return await handOver(cluster, { name, flags }, rawArgs);
    }
    const call: Call = { operands, root, color };
    const { result } = await runCommand(command, { rawArgs, data: call });
    return typeof result === "number" ? result : exitCodes.done;
  } catch (error) {
    if (!(error instanceof UnknownFlag)) throw error;
    const { unknownFlagText } = await import("./hints.ts");
    throw new UsageError(await unknownFlagText(root, command, error.flag, rest));
  }
}

/** Sets what is told on stderr beside errors, by the flags of every command; the last of each counts. */
function setLogging(rawArgs: readonly string[], colored: boolean): void {
  const isOn = (name: string) => rawArgs.lastIndexOf(`--${name}`) > rawArgs.lastIndexOf(`--no-${name}`);
  if (isOn("quiet") && isOn("verbose")) {
    throw new UsageError("--quiet and --verbose exclude each other: leave one of them out");
  }
  setColors(colored);
  setVerbosity(isOn("quiet") ? "quiet" : isOn("verbose") ? "verbose" : "normal");
}

/** A group without a command shows its help; a word that it does not have is told, with what it may have meant. */
async function tellProblem(root: Group, found: FoundCommand): Promise<number> {
  if (found.problem?.kind === "unknown") {
    const { unknownWordText } = await import("./hints.ts");
    throw new UsageError(await unknownWordText(root, found, found.problem.words), found.name);
  }
  process.stderr.write(`${await helpOf(found, process.stderr)}\n`);
  throw new UsageError(`a command is missing after "${found.name}"`, found.name);
}

async function helpOf(found: FoundCommand, stream: NodeJS.WriteStream): Promise<string> {
  const { helpFor } = await import("./show-help.ts");
  const { all, color } = { all: found.asks === "help-all", color: colorIn(found.rest) };
  return helpFor(found.command, { all, color, stream });
}

/** What --color says among words that nobody has checked. */
function colorIn(words: readonly string[]): string | undefined {
  const at = words.findLastIndex((word) => word === "--color" || word.startsWith("--color="));
  return at < 0 ? undefined : (words[at]?.split("=")[1] ?? words[at + 1]);
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
