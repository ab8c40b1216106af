import type { RcloneStats } from "../lib/rclone/log.ts";
import { RunningTime } from "../lib/system/running-time.ts";

/** How long objects must be under way before an attempt that proves none has had its chance. */
const chanceMs = 60_000;
/** The most time that counts between two lines of statistics. */
const intervalMs = 5_000;

/** Measures how long the rclones of an attempt had objects under way, in time in which this process was running. */
export class CopyTime {
  readonly #time: RunningTime;
  #ms = 0;

  constructor(nowMs: number) {
    this.#time = new RunningTime(nowMs, intervalMs);
  }

  /** Notes a line of statistics; true once objects were under way for long enough to prove one. */
  note({ inFlight, bytes }: Pick<RcloneStats, "inFlight" | "bytes">, nowMs: number): boolean {
    const passed = this.#time.since(nowMs);
    if (inFlight.length > 0 || bytes > 0) this.#ms += passed;
    return this.#ms >= chanceMs;
  }
}
