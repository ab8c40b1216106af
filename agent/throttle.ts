import { classifyMessage } from "../lib/rclone/failure-class.ts";
import type { RcloneStats } from "../lib/rclone/log.ts";
import {
  afterStart,
  beginThrottling,
  isThrottled,
  lookAfterMs,
  lowerTo,
  lowerTransfers,
  type Throttling,
} from "./decide/throttle.ts";

/** The requests of this time decide over --transfers. */
const decideMs = 5_000;
/** The requests of this time are told in .progress. */
const tellMs = 30_000;
/** Requests are counted in buckets of this length. */
const bucketMs = 250;

/** Objects that rclone is given for each transfer, until it is known how many it copies in a second. */
const objectsPerTransfer = 250;
/** rclone is given this many times the objects that it should be able to copy, so that its time ends before its list. */
const objectsSpare = 4;

/** The requests of one bucket, by whether the store refused them by throttling. */
interface Counted {
  at: number;
  refused: number;
  taken: number;
}

/** How one rclone is bounded while the store throttles; undefined where nothing bounds it. */
export interface StartBounds {
  limitMs: number | undefined;
  objectsMax: number | undefined;
}

/** Throttling as .progress tells it: the requests of the last half minute, and rclone's transfers. */
export interface ThrottleFacts {
  refused: number;
  requests: number;
  transfers: number;
  wanted: number;
}

/**
 * Learns from rclone's log how many requests the store refuses, and decides with how many transfers rclone runs, and for
 * how long. Call `begin` before each start of rclone, then hand on what its log says, then call `end`.
 */
export class Throttle {
  readonly #now: () => number;
  readonly #random: () => number;
  #state: Throttling;
  #counted: Counted[] = [];
  #loweredInPass = false;
  #requests = { refused: 0, taken: 0 };
  /** The longest that any rclone took to say its first word. */
  #startMs = 0;
  #objectsPerSecond: number | undefined;
  // These are of the current rclone:
  #startedAt = 0;
  #spokeAt: number | undefined;
  #before = { refused: 0, taken: 0 };
  #waiting = new Set<string>();
  #movedBytes = 0;
  #provenBytes = 0;

  constructor(options: {
    /** The user's --transfers. */
    wanted: number;
    /** The --transfers of an earlier attempt, if throttling had lowered them. */
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

  /** How many requests the store refused in the attempt. */
  get refused(): number {
    return this.#requests.refused;
  }

  /** Prepares for a start of rclone, and returns its bounds. */
  begin(): StartBounds {
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

  /** Notes that rclone has said its first word. */
  spoke(): void {
    this.#spokeAt ??= this.#now();
    this.#startMs = Math.max(this.#startMs, this.#spokeAt - this.#startedAt);
  }

  /** Notes that rclone repeats a request: first as its pacer says it, without an object, then as the object's copy does. */
  retried(message: string, object: string | undefined): void {
    if (classifyMessage(message) !== "throttled") return;
    if (object !== undefined) {
      this.#waiting.add(object);
      return;
    }
    this.#requests.refused++;
    this.#bucket().refused++;
  }

  /** Notes that an object is copied. */
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

  /** The --transfers with which rclone is to be started again, or undefined to let it run. Ask every few hundred ms. */
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
   * Notes how rclone ended: it was stopped to be started with `loweredTo`, it was cut off after the time that bounded it,
   * or it ended by itself. Returns a line for the log when --transfers changes.
   */
  end(start: { loweredTo: number | undefined; cutOff: boolean }): string | undefined {
    const ranMs = this.#now() - (this.#spokeAt ?? this.#startedAt);
    const refused = this.#requests.refused - this.#before.refused;
    const taken = this.#requests.taken - this.#before.taken;
    const before = this.#state;
    if (taken > 0 && ranMs > 0) this.#objectsPerSecond = (1000 * taken) / ranMs;
    this.#state =
      start.loweredTo === undefined
        ? afterStart(before, {
            kind: "ran",
            ranMs,
            cutOff: start.cutOff,
            throttled: isThrottled({ refused, taken }),
          })
        : afterStart(before, { kind: "refused", to: start.loweredTo, ranMs });
    if (start.loweredTo !== undefined) this.#loweredInPass = true;
    const { transfers, wanted } = this.#state;
    if (transfers === before.transfers) return undefined;
    const share = shareText({ refused, requests: refused + taken });
    return `throttled: ${share}: --transfers ${before.transfers} -> ${transfers} of ${wanted}`;
  }

  /** Notes how many objects of a pass failed by throttling, which halves --transfers if no rclone of the pass lowered it. */
  endPass(throttledObjects: number): void {
    if (throttledObjects > 0 && !this.#loweredInPass) {
      const { wanted, transfers } = this.#state;
      this.#state = beginThrottling(wanted, lowerTransfers(transfers));
    }
    this.#loweredInPass = false;
  }

  /** The facts for .progress at this moment; undefined where there is no throttling. */
  facts(): ThrottleFacts | undefined {
    const { refused, taken } = this.#since(this.#now() - tellMs);
    const { transfers, wanted } = this.#state;
    return refused > 0 || transfers < wanted
      ? { refused, requests: refused + taken, transfers, wanted }
      : undefined;
  }

  /** A line about the whole attempt; undefined where no request was refused. */
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
