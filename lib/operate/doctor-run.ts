import { type Child, readText, startChild } from "../system/process.ts";
import { afterRunning } from "../system/running-time.ts";

/** How a program that was asked something ended. */
export type Answer =
  | { kind: "ended"; code: number; stdout: string; stderr: string }
  | { kind: "missing" }
  | { kind: "late"; seconds: number; stdout: string; stderr: string };

/** How long a program that was told to end may take for it, in ms. */
const graceMs = 15_000;

/** And after the TERM that follows, in ms. */
const killMs = 5_000;

interface AskOptions {
  timeoutMs: number;
  stop?: AbortSignal;
  env?: Record<string, string>;
  cwd?: string;
  /** How it is told to end: USR1 is for an srun, which hands it on to its step, and would kill the step at a TERM. */
  endBy?: "SIGTERM" | "SIGUSR1";
}

/**
 * Runs a program to its end, for so long at most. Then, or when `stop` is aborted, it is told to end and, 15 s later, killed
 * with its group: what it wrote it can remove in that time.
 */
export async function ask(
  argv: readonly string[],
  { timeoutMs, stop, endBy = "SIGTERM", ...options }: AskOptions,
): Promise<Answer> {
  let child: Child;
  try {
    child = startChild(argv, options);
  } catch {
    return { kind: "missing" };
  }
  let isLate = false;
  let callOffKill = () => {};
  const end = () => {
    if (endBy === "SIGTERM") child.signalGroup(endBy);
    else signalLeader(child.pid, endBy);
    callOffKill = afterRunning(graceMs, () => {
      // srun gives its node back at a TERM, and not when it is killed.
      child.signalGroup("SIGTERM");
      callOffKill = afterRunning(killMs, () => child.signalGroup("SIGKILL"));
    });
  };
  const callOff = afterRunning(timeoutMs, () => {
    isLate = true;
    end();
  });
  stop?.addEventListener("abort", end, { once: true });
  if (stop?.aborted) end();
  try {
    const [exit, stdout, stderr] = await Promise.all([
      child.exited,
      readText(child.stdout),
      readText(child.stderr),
    ]);
    if (isLate) return { kind: "late", seconds: Math.round(timeoutMs / 1000), stdout, stderr };
    return { kind: "ended", code: exit.code, stdout, stderr };
  } finally {
    callOff();
    callOffKill();
    stop?.removeEventListener("abort", end);
  }
}

function signalLeader(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
