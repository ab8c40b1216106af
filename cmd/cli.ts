import { parseArgs } from "node:util";
import { type ArgsDef, type CommandDef, renderUsage, runCommand } from "citty";
import { errnoOf, exitCodes, messageOf, XferError } from "../lib/system/errors.ts";
import { outputFailure, printText } from "./print.ts";

/**
 * What citty leaves open, closed: a flag that is not declared, an extra argument, a missing value or flag end with
 * exit code 2 before anything is done; a value may begin with a dash; help is on stdout only when it was asked for.
 */

// citty's own declaration of subcommands: any command, whatever its arguments.
// biome-ignore lint/suspicious/noExplicitAny: CommandDef is invariant in its arguments, as citty declares it
type Command = CommandDef<any>;

/** Flags that are another way to write a flag with a value. */
const shorthands: Readonly<Record<string, readonly [string, string]>> = { "no-modtime": ["modtime", "none"] };

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

/** Flags whose value may look like any flag, since it is made of another program's flags. */
const passThrough = new Set([
  "--rclone-flags",
  "--add-rclone-flags",
  "--extra-lsjson-flags",
  "--sbatch-extras",
  "--pyxis-extra",
  "--base-flags",
]);

const isValueOf = (before: string | undefined): boolean => before !== undefined && passThrough.has(before);

function resolve<T>(value: T | (() => T | Promise<T>) | Promise<T>): T | Promise<T> {
  return typeof value === "function" ? (value as () => T | Promise<T>)() : value;
}

async function usage(command: Command): Promise<string> {
  const text = (await renderUsage(command)).replace(/[ \t]+$/gm, "");
  return process.stdout.isTTY && !process.env.NO_COLOR ? text : Bun.stripANSI(text);
}

class UsageError extends XferError {
  /** The command whose help tells more, where that is not the one that runs. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message, exitCodes.usage);
    this.command = command;
  }
}

/**
 * Checks a command's words against its declared flags and gives them back as `--flag=value`, `--flag` and `--no-flag`.
 * Throws a usage error for anything that is not declared.
 */
function canonicalArguments(args: ArgsDef, words: readonly string[]): string[] {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [name, def] of Object.entries(args)) {
    const short =
      typeof def === "object" && "alias" in def && typeof def.alias === "string" ? def.alias : undefined;
    const type = def.type === "boolean" ? "boolean" : "string";
    options[name] = short === undefined ? { type } : { type, short };
  }
  const { tokens } = parseArgs({
    args: joinValues(words, options),
    options: {
      ...options,
      ...Object.fromEntries(Object.keys(shorthands).map((name) => [name, { type: "boolean" }])),
    },
    allowNegative: true,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const canonical: string[] = [];
  const seen = new Map<string, number>();
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional")
      throw new UsageError(`unexpected argument ${JSON.stringify(token.value)}`);
    const word = token.rawName.slice(2);
    const shorthand = Object.hasOwn(shorthands, word) ? shorthands[word] : undefined;
    const negated = !shorthand && word.startsWith("no-") && !Object.hasOwn(options, word);
    const name = shorthand?.[0] ?? (negated ? word.slice(3) : token.name);
    const value = shorthand?.[1] ?? token.value;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (!option || (negated && option.type === "string"))
      throw new UsageError(`unknown flag ${token.rawName}`);
    if (option.type === "boolean" && value !== undefined) {
      throw new UsageError(`${token.rawName} takes no value`);
    }
    if (option.type === "string" && value === undefined)
      throw new UsageError(`${token.rawName} needs a value`);
    seen.set(name, (seen.get(name) ?? 0) + 1);
    canonical.push(option.type === "string" ? `--${name}=${value}` : `--${negated ? "no-" : ""}${name}`);
  }
  if ((seen.get("verbose") ?? 0) > 1) canonical.push("--very-verbose");
  for (const [name, def] of Object.entries(args)) {
    if (def.type !== "boolean" && def.required && !seen.has(name))
      throw new UsageError(`--${name} is missing`);
  }
  return canonical;
}

/** Joins `--flag value` to `--flag=value` where the flag takes one, so that a value may begin with a dash. */
function joinValues(words: readonly string[], options: Record<string, { type: string }>): string[] {
  const joined: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const next = words[i + 1];
    const name = word.slice(2);
    const takesValue =
      word.startsWith("--") && Object.hasOwn(options, name) && options[name]?.type === "string";
    if (word === "--") return [...joined, ...words.slice(i)];
    if (!takesValue) joined.push(word);
    else if (next === undefined || (!passThrough.has(word) && isOwnFlag(next, options))) {
      throw new UsageError(`${word} needs a value`);
    } else {
      joined.push(`${word}=${next}`);
      i++;
    }
  }
  return joined;
}

function isOwnFlag(word: string, options: Record<string, unknown>): boolean {
  const name = /^--([^=]+)/.exec(word)?.[1];
  return name !== undefined && Object.hasOwn(options, name);
}

/** The one place where an error becomes a line on stderr and an exit code. */
export function reportError(error: unknown, name: string): number {
  const line = (text: string) => process.stderr.write(`xfer: ${text}\n`);
  const isExpected = error instanceof XferError || errnoOf(error) !== undefined;
  const stack = error instanceof Error && process.env[debugVariable] ? error.stack : undefined;
  if (error instanceof UsageError) line(`${messageOf(error)} (see ${error.command ?? name} --help)`);
  else if (isExpected) line(messageOf(error));
  else {
    const more = stack === undefined ? `; ${debugVariable}=1 shows the stack` : "";
    line(`internal error: ${messageOf(error)}${more}`);
  }
  if (stack !== undefined) line(stack);
  return error instanceof XferError ? error.exitCode : exitCodes.failed;
}

/** Set to anything, it shows where in xfer an error came from. */
const debugVariable = "XFER_DEBUG";
