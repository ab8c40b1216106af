import { existsSync } from "node:fs";
import type { LocalEnds } from "../lib/rclone/local-ends.ts";
import type { Journal } from "../lib/run/journal.ts";
import { messageOf } from "../lib/system/errors.ts";
import { childEnvironment, runProgram } from "../lib/system/process.ts";
import { afterRunning } from "../lib/system/running-time.ts";

/** How often copied data is brought onto stable storage while rclone runs. A lost node costs the copies of that time. */
const settleEveryMs = 30_000;
/** How long a sync may take: the file system may have many gigabytes to write. */
const syncLimitMs = 3_600_000;
/** How long a stop waits for a sync. Data that is not settled by then is copied again by the next attempt. */
const stopMs = 8_000;

/**
 * Brings data that was copied to paths of this host onto stable storage, and notes in the journal how far that has come.
 * rclone closes its files without fsync. Until their data is synced, a lost node, or a disk that refuses a delayed write,
 * takes away objects that rclone has reported as copied. syncfs(2) reports a refused delayed write.
 */
export class Settler {
  readonly #ends: LocalEnds;
  readonly #journal: Journal;
  readonly #timer: ReturnType<typeof setInterval>;
  #running: Promise<void> | undefined;
  #failure: string | undefined;
  #ended = false;

  /** `ends` are the paths at which the destination's data lies. */
  constructor(ends: LocalEnds, journal: Journal, everyMs = settleEveryMs) {
    this.#ends = ends;
    this.#journal = journal;
    this.#timer = setInterval(() => void this.#sync(), everyMs);
  }

  /**
   * Settles all proofs of the journal and returns undefined. If that fails, it returns the reason and drops the proofs that
   * are not settled. Some seconds after `stop` it gives up and leaves the journal as it is.
   */
  async settle(stop: AbortSignal): Promise<string | undefined> {
    const whole = async () => {
      // A sync that is under way began before the last proofs were noted.
      await this.#running;
      await this.#sync();
    };
    await withinStop(whole(), stop);
    if (this.#failure !== undefined) this.#journal.dropUnsettled();
    return this.#failure;
  }

  /** Call before the journal is closed: a sync still in flight then records nothing. */
  end(): void {
    this.#ended = true;
    clearInterval(this.#timer);
  }

  #sync(): Promise<void> {
    this.#running ??= this.#syncOnce().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #syncOnce(): Promise<void> {
    const journal = this.#journal;
    const upTo = journal.flush();
    if (upTo === journal.settledBytes || this.#failure !== undefined) return;
    try {
      const failure = await this.#syncEnds();
      if (this.#ended) return;
      if (failure === undefined) journal.settle(upTo);
      else this.#failure = failure;
    } catch (error) {
      this.#failure = this.#refusal(messageOf(error));
    }
  }

  /** Syncs each file system, or all of the host where the destination's are not known; returns why that failed. */
  async #syncEnds(): Promise<string | undefined> {
    const { paths, certain } = this.#ends;
    // One of several paths may have got no file yet.
    const there = paths.length > 1 ? paths.filter((path) => existsSync(path)) : paths;
    if (!certain || there.length === 0) {
      const { code, stderr } = await sync();
      return code === 0 ? undefined : this.#refusal(stderr.trim());
    }
    for (const path of there) {
      let { code, stderr } = await sync("-f", path);
      // A sync of the whole host reports no failure. It is the only one before coreutils 8.24, and for a directory that
      // this user may write but not read.
      if (/invalid option|Permission denied/.test(stderr)) ({ code, stderr } = await sync());
      if (code !== 0) return this.#refusal(stderr.trim(), path);
    }
    return undefined;
  }

  #refusal(why: string, where = this.#ends.paths.join(", ") || "the destination"): string {
    return `${where}: what was copied could not be brought onto stable storage: ${why}: look at its file system`;
  }
}

/** Runs sync(1) with its messages in English, since they are looked at. */
function sync(...args: string[]): ReturnType<typeof runProgram> {
  const env = { ...childEnvironment(), LC_ALL: "C" };
  return runProgram(["sync", ...args], { env, timeoutMs: syncLimitMs });
}

/** Waits for `work`, but not longer than some seconds after `stop`. */
async function withinStop(work: Promise<void>, stop: AbortSignal): Promise<void> {
  const limit = Promise.withResolvers<void>();
  let callOff: (() => void) | undefined;
  const onStop = () => {
    callOff = afterRunning(stopMs, limit.resolve);
  };
  if (stop.aborted) onStop();
  else stop.addEventListener("abort", onStop);
  await Promise.race([work, limit.promise]);
  stop.removeEventListener("abort", onStop);
  callOff?.();
}
