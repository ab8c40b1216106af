import { sleep } from "./interrupt.ts";

/**
 * Measures the time in which this process itself was running. Of what has gone by between two looks it counts one
 * interval at most: while the process was suspended (SIGSTOP, scontrol suspend), or the machine slept, those that it
 * waits for had no chance either.
 */
export class RunningTime {
  readonly #tickMs: number;
  #lastMs: number;

  constructor(nowMs: number, tickMs: number) {
    this.#lastMs = nowMs;
    this.#tickMs = tickMs;
  }

  /** The milliseconds that count since the last look. */
  since(nowMs: number): number {
    const passed = Math.max(0, Math.min(nowMs - this.#lastMs, this.#tickMs));
    this.#lastMs = nowMs;
    return passed;
  }
}

const tickMs = 250;

/** Calls `then` once this process has run for so long; the function returned calls it off. */
export function afterRunning(milliseconds: number, then: () => void): () => void {
  const time = new RunningTime(performance.now(), 2 * tickMs);
  let left = milliseconds;
  const timer = setInterval(
    () => {
      left -= time.since(performance.now());
      if (left > 0) return;
      clearInterval(timer);
      then();
    },
    Math.min(tickMs, milliseconds),
  );
  return () => clearInterval(timer);
}

/** Waits until this process has run for so long, at most until `signal` is aborted. */
export async function sleepRunning(milliseconds: number, signal: AbortSignal): Promise<void> {
  const time = new RunningTime(performance.now(), 2 * tickMs);
  for (let left = milliseconds; left > 0 && !signal.aborted; left -= time.since(performance.now())) {
    await sleep(Math.min(tickMs, left), signal);
  }
}
