import type { RcloneStats } from "../lib/rclone/log.ts";
import { RunningTime } from "../lib/system/running-time.ts";
import type { SilenceLimits } from "./decide/silence.ts";

/** How rclone hangs: it prints nothing; or it prints statistics while no object is under way, or none gets on. */
export type Hang = "silent" | "idle" | "stuck";

/** How often the watch looks. */
export const silenceTickMs = 5_000;

/** Watches for an rclone that hangs. Only time counts in which this process itself is running. */
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

  /** Notes a line that is not statistics; `isRclones` says whether rclone itself printed it. */
  line(isRclones: boolean): void {
    this.#hasSpoken ||= isRclones;
    this.#silentMs = 0;
    this.#idleMs = 0;
    this.#stuckMs = 0;
  }

  /** Notes a line of statistics. It is a sign of activity if objects are under way or were done since the last line. */
  stats({ done, inFlight }: Pick<RcloneStats, "done" | "inFlight">): void {
    this.#hasSpoken = true;
    this.#silentMs = 0;
    if (done !== this.#done || inFlight.length > 0) this.#idleMs = 0;
    if (done !== this.#done) this.#stuckMs = 0;
    this.#done = done;
  }

  /** How rclone hangs, or undefined when it does not. Call it every tick. */
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
