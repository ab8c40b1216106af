import { type ExitCode, exitCodes, XferError } from "./errors.ts";

/** A request from outside to stop in good order: the signal's name, or "parent-gone". */
export type StopReason = NodeJS.Signals | "parent-gone";

/** Turns signals into an abort, whose reason is a StopReason. `release` gives the signals back their defaults. */
export interface StopWatch {
  signal: AbortSignal;
  stop(reason: StopReason): void;
  release(): void;
}

/** Watches for these signals from now on; the process no longer dies of them. */
export function watchForStop(signals: readonly NodeJS.Signals[]): StopWatch {
  const controller = new AbortController();
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

/** Why `signal` was aborted, or undefined when it was not. */
export function stopReason(signal: AbortSignal): StopReason | undefined {
  return signal.aborted ? (signal.reason as StopReason) : undefined;
}

/** The exit code after a stop: interrupted for an interactive one, resumable for any other. */
export function stopExitCode(reason: StopReason): ExitCode {
  return reason === "SIGINT" ? exitCodes.interrupted : exitCodes.resumable;
}

/** The error that ends a command which was asked to stop; `hint` says how to go on. */
export function stoppedError(reason: StopReason, hint: string): XferError {
  return new XferError(`stopped by ${reason}: ${hint}`, stopExitCode(reason));
}

/** Throws the error that ends a command if it was asked to stop. */
export function throwIfStopped(signal: AbortSignal, hint: string): void {
  const reason = stopReason(signal);
  if (reason) throw stoppedError(reason, hint);
}

/** Waits, at most until `signal` is aborted. */
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
