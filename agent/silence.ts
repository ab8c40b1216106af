import type { RcloneStats } from "../lib/rclone/log.ts";
import { RunningTime } from "../lib/system/running-time.ts";
import type { SilenceLimits } from "./decide/silence.ts";

/** How rclone hangs: nothing comes from it; its statistics go on, but nothing is under way; or nothing comes of it. */
export type Hang = "silent" | "idle" | "stuck";

/** How often the watch looks. */
export const silenceTickMs = 5_000;

/** Watches for an rclone that hangs; only time in which this process runs itself counts. */
export class SilenceWatch {
  readonly #limits: SilenceLimits;
  readonly #time: RunningTime;
  #silentMs = 0;
  #idleMs = 0;
  #stuckMs = 0;
  #hasSpoken = false;
  #done = 0;

  constructor(limits: SilenceLimits, nowMs: number, tickMs = silenceTickMs) {
    this.#limits = limits;
    this.#time = new RunningTime(nowMs, tickMs);
  }

  /** Notes a line that is no statistics; `isRclones` says whether rclone itself printed it. */
  line(isRclones: boolean): void {
    this.#hasSpoken ||= isRclones;
    this.#silentMs = 0;
    this.#idleMs = 0;
    this.#stuckMs = 0;
  }

  /** Notes a line of statistics: activity only when something is under way or was done since the last one. */
  stats({ done, inFlight }: Pick<RcloneStats, "done" | "inFlight">): void {
    this.#hasSpoken = true;
    this.#silentMs = 0;
    if (done !== this.#done || inFlight.length > 0) this.#idleMs = 0;
    if (done !== this.#done) this.#stuckMs = 0;
    this.#done = done;
  }

  /** Says how rclone hangs, or undefined. To be called every interval. */
  tick(nowMs: number): Hang | undefined {
    const ran = this.#time.since(nowMs);
    this.#silentMs += ran;
    this.#idleMs += ran;
    this.#stuckMs += ran;
    const { unheardMs, silentMs, idleMs, stuckMs } = this.#limits;
    if (this.#silentMs >= (this.#hasSpoken ? silentMs : unheardMs)) return "silent";
    if (!this.#hasSpoken) return undefined;
    if (this.#idleMs >= idleMs) return "idle";
    return this.#stuckMs >= stuckMs ? "stuck" : undefined;
  }
}
