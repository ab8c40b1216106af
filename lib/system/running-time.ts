import { sleep } from "./interrupt.ts";

/**
 * Measures the time in which this process itself was running. It counts at most one tick between two looks: while the
 * process was suspended (SIGSTOP, scontrol suspend) or the machine slept, the others for whom it waits had no chance either.
 */
export class RunningTime {
  readonly #tickMs: number;
  #lastMs: number;

  constructor(nowMs: number, tickMs: number) {
    this.#lastMs = nowMs;
    this.#tickMs = tickMs;
  }

  /** The milliseconds since the last look, as far as they count. */
  since(nowMs: number): number {
    const passed = Math.max(0, Math.min(nowMs - this.#lastMs, this.#tickMs));
    this.#lastMs = nowMs;
    return passed;
  }
}

const tickMs = 250;

/** Calls `then` once this process has run for this many milliseconds. The function that it returns calls it off. */
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

/** Waits until this process has run for this many milliseconds, or until `signal` is aborted. */
export async function sleepRunning(milliseconds: number, signal: AbortSignal): Promise<void> {
  const time = new RunningTime(performance.now(), 2 * tickMs);
  for (let left = milliseconds; left > 0 && !signal.aborted; left -= time.since(performance.now())) {
    await sleep(Math.min(tickMs, left), signal);
  }
}
