import { classifyMessage } from "../lib/rclone/failure-class.ts";
import type { RcloneStats } from "../lib/rclone/log.ts";
import {
  afterRun,
  beginThrottling,
  isThrottled,
  lookAfterMs,
  lowerTo,
  lowerTransfers,
  type Throttling,
} from "./decide/throttle.ts";

/** How long back requests are looked at: to decide, and to tell. */
const decideMs = 5_000;
const tellMs = 30_000;
/** How finely they are counted. */
const bucketMs = 250;

/** Objects that rclone is given at a time for each transfer, until it is known how many it copies a second. */
const objectsPerTransfer = 250;
/** How many times what it should come to copy it is given: time is to end its run. */
const objectsSpare = 4;

/** Requests of some time: refused by throttling, or taken. */
interface Counted {
  at: number;
  refused: number;
  taken: number;
}

/** How a run of rclone is bounded while the store throttles; undefined where nothing bounds it. */
export interface RunBounds {
  limitMs: number | undefined;
  objectsMax: number | undefined;
}

/** What is told of throttling: requests of the last half minute, and rclone's transfers. */
export interface ThrottleFacts {
  refused: number;
  requests: number;
  transfers: number;
  wanted: number;
}

/**
 * Sees from rclone's log how much the store refuses, and says with how many transfers rclone is to run, and for how long.
 * For each run of rclone: `begin`, what its log says, `end`.
 */
export class Throttle {
  readonly #now: () => number;
  readonly #random: () => number;
  #state: Throttling;
  #counted: Counted[] = [];
  #loweredInPass = false;
  #requests = { refused: 0, taken: 0 };
  /** How long rclone took to say its first word, at most. */
  #startMs = 0;
  #objectsPerSecond: number | undefined;
  // Of the run of rclone:
  #startedAt = 0;
  #spokeAt: number | undefined;
  #before = { refused: 0, taken: 0 };
  #waiting = new Set<string>();
  #movedBytes = 0;
  #provenBytes = 0;

  constructor(options: {
    /** The user's --transfers, and what throttling has brought them down to before. */
    wanted: number;
    transfers: number;
    now?: () => number;
    random?: () => number;
  }) {
    this.#now = options.now ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
    this.#state = beginThrottling(options.wanted, options.transfers);
  }

  get transfers(): number {
    return this.#state.transfers;
  }

  /** --transfers, when throttling has lowered it. */
  get lowered(): number | null {
    const { transfers, wanted } = this.#state;
    return transfers < wanted ? transfers : null;
  }

  /** Requests refused in the attempt. */
  get refused(): number {
    return this.#requests.refused;
  }

  /** Begins a run of rclone. */
  begin(): RunBounds {
    this.#startedAt = this.#now();
    this.#spokeAt = undefined;
    this.#before = { ...this.#requests };
    this.#waiting.clear();
    this.#movedBytes = 0;
    this.#provenBytes = 0;
    const { transfers } = this.#state;
    const limitMs = lookAfterMs(this.#state, this.#startMs, this.#random());
    if (limitMs === undefined) return { limitMs, objectsMax: undefined };
    const expected = ((this.#objectsPerSecond ?? 0) * limitMs) / 1000;
    return {
      limitMs: Math.round(limitMs),
      objectsMax: Math.ceil(Math.max(objectsPerTransfer * transfers, objectsSpare * expected)),
    };
  }

  /** rclone has said its first word. */
  spoke(): void {
    this.#spokeAt ??= this.#now();
    this.#startMs = Math.max(this.#startMs, this.#spokeAt - this.#startedAt);
  }

  /** rclone repeats a request: of an object, or, first, whatever its pacer slows down. */
  retried(message: string, object: string | undefined): void {
    if (classifyMessage(message) !== "throttled") return;
    if (object !== undefined) {
      this.#waiting.add(object);
      return;
    }
    this.#requests.refused++;
    this.#bucket().refused++;
  }

  /** An object is through. */
  proven(object: string, size: number): void {
    this.#waiting.delete(object);
    this.#provenBytes += size;
    this.#requests.taken++;
    this.#bucket().taken++;
  }

  stats({ bytes }: RcloneStats): void {
    this.#movedBytes = bytes;
  }

  #bucket(): Counted {
    const now = this.#now();
    const last = this.#counted.at(-1);
    if (last && now - last.at < bucketMs) return last;
    const fresh = { at: now, refused: 0, taken: 0 };
    this.#counted = this.#counted.filter(({ at }) => now - at < tellMs);
    this.#counted.push(fresh);
    return fresh;
  }

  #since(from: number): { refused: number; taken: number; firstRefusedAt: number | undefined } {
    const sum = { refused: 0, taken: 0, firstRefusedAt: undefined as number | undefined };
    for (const { at, refused, taken } of this.#counted) {
      if (at < from) continue;
      sum.refused += refused;
      sum.taken += taken;
      if (refused > 0) sum.firstRefusedAt ??= at;
    }
    return sum;
  }

  /** The --transfers with which rclone is to be started again, or undefined to let it run. To be asked again and again. */
  lowerTo(): number | undefined {
    const now = this.#now();
    const { refused, taken, firstRefusedAt } = this.#since(Math.max(this.#startedAt, now - decideMs));
    const lost = Math.max(0, this.#movedBytes - this.#provenBytes);
    return lowerTo({
      transfers: this.#state.transfers,
      refused,
      taken,
      waiting: this.#waiting.size,
      forMs: firstRefusedAt === undefined ? 0 : now - firstRefusedAt,
      lossMs: this.#movedBytes > 0 ? ((now - this.#startedAt) * lost) / this.#movedBytes : 0,
    });
  }

  /**
   * Ends a run of rclone: it was stopped to be started with `loweredTo`, it was cut off after the time that bounded it, or
   * it ended by itself. Gives what there is to say of it.
   */
  end(run: { loweredTo: number | undefined; cutOff: boolean }): string | undefined {
    const ranMs = this.#now() - (this.#spokeAt ?? this.#startedAt);
    const refused = this.#requests.refused - this.#before.refused;
    const taken = this.#requests.taken - this.#before.taken;
    const before = this.#state;
    if (taken > 0 && ranMs > 0) this.#objectsPerSecond = (1000 * taken) / ranMs;
    this.#state =
      run.loweredTo === undefined
        ? afterRun(before, {
            kind: "ran",
            ranMs,
            cutOff: run.cutOff,
            throttled: isThrottled({ refused, taken }),
          })
        : afterRun(before, { kind: "refused", to: run.loweredTo, ranMs });
    if (run.loweredTo !== undefined) this.#loweredInPass = true;
    const { transfers, wanted } = this.#state;
    if (transfers === before.transfers) return undefined;
    const share = shareText({ refused, requests: refused + taken });
    return `throttled: ${share}: --transfers ${before.transfers} -> ${transfers} of ${wanted}`;
  }

  /** Notes how many objects a pass has failed with by throttling, which lowers the transfers where its runs have not. */
  endPass(throttledObjects: number): void {
    if (throttledObjects > 0 && !this.#loweredInPass) {
      const { wanted, transfers } = this.#state;
      this.#state = beginThrottling(wanted, lowerTransfers(transfers));
    }
    this.#loweredInPass = false;
  }

  /** What is to be told at this moment; undefined where there is no throttling. */
  facts(): ThrottleFacts | undefined {
    const { refused, taken } = this.#since(this.#now() - tellMs);
    const { transfers, wanted } = this.#state;
    return refused > 0 || transfers < wanted
      ? { refused, requests: refused + taken, transfers, wanted }
      : undefined;
  }

  /** What an attempt has met in all; undefined where nothing was refused. */
  summary(): string | undefined {
    const { refused, taken } = this.#requests;
    if (refused === 0) return undefined;
    const { transfers, wanted } = this.#state;
    return `throttled: in all ${shareText({ refused, requests: refused + taken })}, --transfers ${transfers} of ${wanted} at the end`;
  }
}

function shareText({ refused, requests }: { refused: number; requests: number }): string {
  const percent = requests > 0 ? Math.round((100 * refused) / requests) : 0;
  return `${refused} of ${requests} requests refused (${percent}%)`;
}
