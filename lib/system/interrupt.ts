import { readFileSync } from "node:fs";
import { type ExitCode, exitCodes, XferError } from "./errors.ts";

/** Why a command was asked to stop in good order: the signal's name, "parent-gone", or "paused" by the run's operator. */
export type StopReason = NodeJS.Signals | "parent-gone" | "paused";

/** The signals by which a person, a batch system or a terminal that goes away asks a command to stop. */
export const stopSignals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Turns signals into an abort, whose reason is a StopReason. `release` gives the signals back their defaults. */
export interface StopWatch {
  signal: AbortSignal;
  stop(reason: StopReason): void;
  release(): void;
}

/** Watches for these signals; the process does not die of them meanwhile. A hangup that nohup(1) ignores stays ignored. */
export function watchForStop(wanted: readonly NodeJS.Signals[]): StopWatch {
  const controller = new AbortController();
  const signals = wanted.filter((name) => name !== "SIGHUP" || !isHangupIgnored());
  const stop = (reason: StopReason) => controller.abort(reason);
  for (const name of signals) process.on(name, stop);
  return {
    signal: controller.signal,
    stop,
    release: () => {
      for (const name of signals) process.off(name, stop);
    },
  };
}

/** Whether this process was started with SIGHUP ignored. */
function isHangupIgnored(): boolean {
  if (process.listenerCount("SIGHUP") > 0) return false;
  try {
    const ignored = /^SigIgn:\t([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    // The signal's number is 1: the lowest bit.
    return (BigInt(`0x${ignored}`) & 1n) === 1n;
  } catch {
    // No /proc: not Linux.
    return false;
  }
}

/** Why `signal` was aborted, or undefined when it was not. */
export function stopReason(signal: AbortSignal): StopReason | undefined {
  return signal.aborted ? (signal.reason as StopReason) : undefined;
}

/** The exit code after a stop: interrupted for an interactive one, resumable for any other. */
export function stopExitCode(reason: StopReason): ExitCode {
  return reason === "SIGINT" ? exitCodes.interrupted : exitCodes.resumable;
}

/** The error that ends a command that was asked to stop. `hint` says how to go on. */
export function stoppedError(reason: StopReason, hint: string): XferError {
  return new XferError(`stopped by ${reason}: ${hint}`, stopExitCode(reason));
}

/** Throws `stoppedError` if `signal` was aborted. */
export function throwIfStopped(signal: AbortSignal, hint: string): void {
  const reason = stopReason(signal);
  if (reason) throw stoppedError(reason, hint);
}

/** Serves signals and timers during long work, and then throws as `throwIfStopped` does. */
export async function breathe(signal: AbortSignal | undefined, hint: string): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal) throwIfStopped(signal, hint);
}

/** The value of `promise`. Throws as `throwIfStopped` does when `signal` is aborted first; the promise is then left alone. */
export async function unlessStopped<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  hint: string,
): Promise<T> {
  if (!signal) return promise;
  throwIfStopped(signal, hint);
  const { promise: stopped, resolve } = Promise.withResolvers<undefined>();
  const onStop = () => resolve(undefined);
  signal.addEventListener("abort", onStop);
  try {
    const first = await Promise.race([promise.then((value) => ({ value })), stopped]);
    throwIfStopped(signal, hint);
    return (first as { value: T }).value;
  } finally {
    signal.removeEventListener("abort", onStop);
  }
}

/** Waits for this long, or until `signal` is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}
