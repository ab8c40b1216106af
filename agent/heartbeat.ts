import type { Journal } from "../lib/run/journal.ts";
import type { ProgressState } from "../lib/run/state/progress.ts";
import { messageOf, operationFailed } from "../lib/system/errors.ts";
import type { ShardLock } from "./lock.ts";
import type { ShardLog } from "./shard-log.ts";

/** How often .progress is rewritten, and the journal and log are handed to the kernel. */
const heartbeatMs = 2_000;
/** How many heartbeats lie between two fsyncs of the journal. */
const beatsPerSync = 5;

interface HeartbeatParts {
  journal: Journal;
  log: ShardLog;
  lock: ShardLock;
  writeProgress: () => ProgressState;
  /** Notes what .progress says, now and then; always at the last beat. */
  sample: (told: ProgressState, isLast: boolean) => void;
}

/** Writes, at a steady rate, the state that may lag; stops the attempt when that state cannot be kept any more. */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  readonly #abort = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #beats = 0;
  #failure: unknown;

  /** Beats at once, and from then on until `end`. */
  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#beat(), heartbeatMs);
    this.#beat();
  }

  /** Aborted when the state cannot be written, or another agent has taken the shard over. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  #beat(isLast = false): void {
    if (this.#abort.signal.aborted) return;
    const { journal, log, lock, writeProgress, sample } = this.#parts;
    try {
      if (!lock.isHeld()) throw new Error("another agent has taken the shard over");
      if (++this.#beats % beatsPerSync === 0) journal.sync();
      else journal.flush();
      log.flush();
      sample(writeProgress(), isLast);
    } catch (error) {
      this.#failure = error;
      this.#abort.abort("SIGTERM");
    }
  }

  /** Throws operation failed when this heartbeat has stopped the attempt. */
  check(): void {
    if (this.#failure === undefined) return;
    throw operationFailed(`the shard's state cannot be kept: ${messageOf(this.#failure)}`);
  }

  /** Beats once more and stops beating. */
  end(): void {
    clearInterval(this.#timer);
    this.#beat(true);
  }
}
