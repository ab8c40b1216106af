import { existsSync } from "node:fs";
import type { LocalEnds } from "../lib/rclone/local-ends.ts";
import type { Journal } from "../lib/run/journal.ts";
import { messageOf } from "../lib/system/errors.ts";
import { childEnvironment, runProgram } from "../lib/system/process.ts";
import { afterRunning } from "../lib/system/running-time.ts";

/** How often what was copied is brought onto stable storage while rclone runs: what a lost node costs again. */
const settleEveryMs = 30_000;
/** A file system may take long to write what many gigabytes of memory hold. */
const syncLimitMs = 3_600_000;
/** How long a stop waits for it; what is not settled then, another node copies again. */
const stopMs = 8_000;

/**
 * Brings what was copied to a destination of paths onto stable storage, and notes in the journal how far that has come.
 * rclone closes its files without fsync: until then a lost node, or a disk that refuses a delayed write, takes objects
 * that rclone has reported as copied. syncfs(2) reports such a write too.
 */
export class Settler {
  readonly #ends: LocalEnds;
  readonly #journal: Journal;
  readonly #timer: ReturnType<typeof setInterval>;
  #running: Promise<void> | undefined;
  #failure: string | undefined;
  #ended = false;

  /** `ends` are on the destination's file systems. */
  constructor(ends: LocalEnds, journal: Journal, everyMs = settleEveryMs) {
    this.#ends = ends;
    this.#journal = journal;
    this.#timer = setInterval(() => void this.#sync(), everyMs);
  }

  /**
   * Settles all that is noted in the journal, and gives undefined; or gives why that failed, with nothing left in the
   * journal but what was settled before. Some seconds after `stop` it gives up, with the journal as it is.
   */
  async settle(stop: AbortSignal): Promise<string | undefined> {
    const whole = async () => {
      // One that is under way began before the last of it was noted.
      await this.#running;
      await this.#sync();
    };
    await withinStop(whole(), stop);
    if (this.#failure !== undefined) this.#journal.dropUnsettled();
    return this.#failure;
  }

  /** To be called before the journal is closed: one that is still under way notes nothing any more. */
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

  /** Syncs each file system, or everything where it is not known which they are; gives why that failed. */
  async #syncEnds(): Promise<string | undefined> {
    const { paths, certain } = this.#ends;
    // Of several, one may have got nothing yet.
    const there = paths.length > 1 ? paths.filter((path) => existsSync(path)) : paths;
    if (!certain || there.length === 0) {
      const { code, stderr } = await sync();
      return code === 0 ? undefined : this.#refusal(stderr.trim());
    }
    for (const path of there) {
      let { code, stderr } = await sync("-f", path);
      // The sync of everything, which reports no failure, is all that there was before coreutils 8.24, and all that there
      // is for a directory that one may write but not read.
      if (/invalid option|Permission denied/.test(stderr)) ({ code, stderr } = await sync());
      if (code !== 0) return this.#refusal(stderr.trim(), path);
    }
    return undefined;
  }

  #refusal(why: string, where = this.#ends.paths.join(", ") || "the destination"): string {
    return `${where}: what was copied could not be brought onto stable storage: ${why}: look at its file system`;
  }
}

/** sync(1), with its messages in the language in which they are looked at. */
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
