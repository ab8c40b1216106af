import type { Subprocess } from "bun";
import { exitCodes, XferError } from "./errors.ts";
import { GatheringPipe } from "./gathering-pipe.ts";
import { log } from "./log.ts";
import { afterRunning } from "./running-time.ts";
import { quoteWords } from "./shell-words.ts";

/** How a process ended. */
export interface ProcessExit {
  /** The exit code, or 128 + n after signal n. */
  code: number;
  signal: string | null;
}

/** A running child, which leads a process group of its own. */
export interface Child {
  pid: number;
  /** A chunk is valid until the next one is asked for. */
  stdout: AsyncIterable<Uint8Array>;
  stderr: AsyncIterable<Uint8Array>;
  exited: Promise<ProcessExit>;
  /** Sends a signal to the child's whole process group; a group that is gone is no error. */
  signalGroup(signal: NodeJS.Signals): void;
}

/**
 * The environment for child processes: `env` without two kinds of variables. BUN_* would act on any Bun program that a
 * child starts. AWS_CA_BUNDLE makes the s3 backend of rclone 1.60 fail.
 */
export function childEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || name.startsWith("BUN_") || name === "AWS_CA_BUNDLE") continue;
    kept[name] = value;
  }
  return kept;
}

/** The path of a program on PATH. Throws an XferError that names the program and where it was looked for. */
export function findProgram(name: string): string {
  const path = process.env.PATH ?? "";
  const found = Bun.which(name, { PATH: path });
  if (found) return found;
  throw new XferError(
    `${name} was not found on PATH (looked in ${path === "" ? "nothing: PATH is empty" : path}): ` +
      "install it here, or put its folder on PATH",
    exitCodes.failed,
  );
}

/** Sends a signal to a process group; a group that is gone is no error. */
export function signalProcessGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: no process is left in the group.
  }
}

async function exitOf(child: Subprocess): Promise<ProcessExit> {
  const code = await child.exited;
  return { code, signal: typeof child.signalCode === "string" ? child.signalCode : null };
}

/** How a child is started. */
interface ChildOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** The output that comes in many short writes. It is read some milliseconds late, in larger pieces. */
  gather?: "stdout" | "stderr";
  /** What the child reads on its stdin; nothing when it is left out. A child that reads less of it is no error. */
  input?: AsyncIterable<Uint8Array>;
}

/** Starts a program in a process group of its own. Its output goes to pipes. */
export function startChild(argv: readonly string[], options: ChildOptions = {}): Child {
  const [name = "", ...rest] = argv;
  const program = findProgram(name);
  log.debug(`running ${quoteWords([program, ...rest])}`);
  const makeFifo = (path: string) => Bun.spawnSync(["mkfifo", path]).success;
  const pipe = options.gather === undefined ? undefined : GatheringPipe.open(makeFifo);
  const outputs = { stdout: "pipe", stderr: "pipe" } as { stdout: "pipe" | number; stderr: "pipe" | number };
  if (pipe && options.gather) outputs[options.gather] = pipe.writeEnd;
  let child: Subprocess<"ignore" | "pipe", "pipe" | number, "pipe" | number>;
  try {
    child = Bun.spawn([program, ...rest], {
      stdin: options.input === undefined ? "ignore" : "pipe",
      ...outputs,
      env: options.env ?? childEnvironment(),
      detached: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
  } finally {
    pipe?.closeWriteEnd();
  }
  const exited = exitOf(child);
  void exited.then(() => pipe?.hurry());
  if (options.input !== undefined && typeof child.stdin === "object") void feed(child.stdin, options.input);
  const stream = (output: typeof child.stdout) =>
    output instanceof ReadableStream ? output : (pipe?.chunks() ?? nothing());
  return {
    pid: child.pid,
    stdout: stream(child.stdout),
    stderr: stream(child.stderr),
    exited,
    signalGroup: (signal) => signalProcessGroup(child.pid, signal),
  };
}

/** Writes all of `input` as fast as it is read, and closes. Whoever reads may go away: its exit code tells why. */
async function feed(
  stdin: Pick<Bun.FileSink, "write" | "flush" | "end">,
  input: AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    for await (const chunk of input) {
      // Either may give the error of a pipe that nobody reads any more.
      await stdin.write(chunk);
      await stdin.flush();
    }
  } catch {
    // EPIPE.
  } finally {
    await (async () => await stdin.end())().catch(() => undefined);
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** All of a child's output as text. */
export async function readText(output: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of output) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/** A child whose output goes to a file and whose stdin stays open for as long as this process lives. */
export interface SupervisedChild {
  pid: number;
  exited: Promise<ProcessExit>;
  signalGroup(signal: NodeJS.Signals): void;
}

/**
 * Starts a child that can tell when this process dies: its stdin is a pipe, to which nobody writes, and which closes then.
 * Its stdout and stderr are appended to the open descriptor `outputFd`.
 */
export function startSupervised(
  argv: readonly [string, ...string[]],
  options: { env: Record<string, string>; outputFd: number },
): SupervisedChild {
  const child = Bun.spawn([...argv], {
    stdin: "pipe",
    stdout: options.outputFd,
    stderr: options.outputFd,
    env: options.env,
    detached: true,
  });
  return {
    pid: child.pid,
    exited: exitOf(child),
    signalGroup: (signal) => signalProcessGroup(child.pid, signal),
  };
}

/**
 * Runs a program to its end and returns its output. After `timeoutMs` in which this process was running, the program is
 * killed with its group.
 */
export async function runProgram(
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<ProcessExit & { stdout: string; stderr: string }> {
  const child = startChild(argv, options);
  const callOff = afterRunning(options.timeoutMs ?? 120_000, () => child.signalGroup("SIGKILL"));
  try {
    const [exit, stdout, stderr] = await Promise.all([
      child.exited,
      readText(child.stdout),
      readText(child.stderr),
    ]);
    return { ...exit, stdout, stderr };
  } finally {
    callOff();
  }
}

/**
 * Starts a program that outlives this one, in a session of its own: nothing on its stdin, its outputs appended to open
 * descriptors. Returns its pid.
 */
export function startDetached(
  argv: readonly [string, ...string[]],
  options: { cwd: string; env: Record<string, string>; stdout: number; stderr: number },
): number {
  const child = Bun.spawn([...argv], { ...options, stdin: "ignore", detached: true });
  child.unref();
  return child.pid;
}

/** Runs a program that may use the terminal, with its stderr in a file; returns its exit code. */
export async function runInForeground(
  argv: readonly [string, ...string[]],
  errorsPath: string,
): Promise<number> {
  const child = Bun.spawn([...argv], {
    stdin: "inherit",
    stdout: "ignore",
    stderr: Bun.file(errorsPath),
    env: childEnvironment(),
  });
  return await child.exited;
}

/** The command that starts this program again: the compiled binary, or bun and the main file in development. */
export function ownCommand(): [string, ...string[]] {
  return isCompiled() ? [process.execPath] : [process.execPath, Bun.main];
}

/** Whether this program is the compiled binary (its modules lie in Bun's virtual filesystem). */
export function isCompiled(): boolean {
  return Bun.main.startsWith("/$bunfs/");
}
