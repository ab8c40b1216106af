import { classifyMessage, type FailureClass } from "../lib/rclone/failure-class.ts";
import { hindranceOf, hindranceText, type Side, type StorePlace, sideOf } from "../lib/rclone/hindrance.ts";
import type { RcloneStats } from "../lib/rclone/log.ts";
import type { HindranceState } from "../lib/run/state/progress.ts";

/** A hindrance shorter than this is not shown: rclone's next request may well be answered. */
const shownAfterMs = 2_000;
/** After this time without an object, a byte or a repeated request, both places are asked whether they answer. */
const silenceMs = 8_000;
/** How long after that they are asked again. */
const askAgainMs = 20_000;
/** A hindrance is over when bytes move and no request was repeated for this time. */
const overAfterMs = 15_000;
/** The longest message of .progress, in characters. */
const textMax = 160;

/** Whether both places are to be asked, by the time since the last sign of life and since they were asked last. */
export function isToAsk(silentMs: number, sinceAskMs: number): boolean {
  return silentMs >= silenceMs && sinceAskMs >= askAgainMs;
}

interface Found {
  class: FailureClass;
  text: string;
  sinceMs: number;
}

/**
 * Knows what keeps an attempt from proving objects:
 *
 * | event | hindrance |
 * |---|---|
 * | rclone repeats a request | what its message says of the store |
 * | nothing is heard for some seconds | the error of the place that does not answer when it is asked |
 * | a pass ends with objects that are not proven | their failure, until the next pass begins |
 * | an object is proven | none |
 * | bytes move, and no request was repeated for 15 s | none |
 *
 * All times are milliseconds of one clock, the caller's.
 */
export class Hindrances {
  readonly #places: Readonly<Record<Side, StorePlace | undefined>>;
  #found: Found | undefined;
  #nextPassMs: number | undefined;
  /** When rclone last showed a sign of life, or was started. */
  #signMs: number;
  #askedMs = Number.NEGATIVE_INFINITY;
  #heardMs = Number.NEGATIVE_INFINITY;
  #done = 0;

  constructor(places: Readonly<Record<Side, StorePlace | undefined>>, nowMs: number) {
    this.#places = places;
    this.#signMs = nowMs;
  }

  /** Notes that rclone is started. */
  start(nowMs: number): void {
    this.#nextPassMs = undefined;
    this.#signMs = nowMs;
    this.#askedMs = Number.NEGATIVE_INFINITY;
    this.#done = 0;
  }

  /** Notes that rclone repeats a request. */
  retry(message: string, nowMs: number): void {
    this.#heardMs = nowMs;
    this.#signMs = nowMs;
    this.#note(this.#reading(message), nowMs, nowMs);
  }

  /** Notes that an object was proven. */
  proven(nowMs: number): void {
    this.#signMs = nowMs;
    this.#found = undefined;
  }

  /** Notes a line of statistics. */
  stats({ done }: Pick<RcloneStats, "done">, nowMs: number): void {
    if (done === this.#done) return;
    this.#done = done;
    this.#signMs = nowMs;
    if (nowMs - this.#heardMs >= overAfterMs) this.#found = undefined;
  }

  /** Whether both places are to be asked at this moment. If so, they count as asked. */
  isToAsk(nowMs: number): boolean {
    if (!isToAsk(nowMs - this.#signMs, nowMs - this.#askedMs)) return false;
    this.#askedMs = nowMs;
    return true;
  }

  /** Notes the error of a place that was asked; undefined when it answers. */
  asked(side: Side, message: string | undefined, nowMs: number): void {
    const found = message === undefined ? undefined : hindranceOf(message);
    if (found) this.#note({ class: found.class, text: hindranceText(side, found) }, nowMs, this.#signMs);
  }

  /** Notes that both places have answered. */
  bothAnswer(): void {
    this.#found = undefined;
  }

  /** Notes what keeps a look at a place waiting; undefined when the place answers again. */
  look(
    hindrance: { side: Side; class: FailureClass; what: string; since: Date } | undefined,
    nowMs: number,
  ): void {
    if (!hindrance) this.#found = undefined;
    else {
      const text = hindranceText(hindrance.side, hindrance);
      this.#note({ class: hindrance.class, text }, nowMs, hindrance.since.getTime());
    }
  }

  /** Notes that a pass has ended with objects that are not proven, and that the next pass waits. */
  wait(why: { class: FailureClass; message: string; side?: Side }, nowMs: number, nextPassMs: number): void {
    const known = hindranceOf(why.message);
    // A message heard during the pass may tell more than the failure that the pass ended with.
    const text = known
      ? hindranceText(why.side ?? sideOf(why.message, this.#places), known)
      : (this.#found?.text ?? why.message.slice(0, textMax));
    this.#note({ class: why.class, text }, nowMs, nowMs);
    this.#nextPassMs = nextPassMs;
  }

  /** The hindrance for .progress; null when there is none, or only one of a moment. */
  state(nowMs: number): HindranceState | null {
    const found = this.#found;
    if (!found || (this.#nextPassMs === undefined && nowMs - found.sinceMs < shownAfterMs)) return null;
    return {
      class: found.class,
      message: found.text,
      since: new Date(found.sinceMs).toISOString(),
      next_pass_at: this.#nextPassMs === undefined ? null : new Date(this.#nextPassMs).toISOString(),
    };
  }

  #reading(message: string): Omit<Found, "sinceMs"> {
    const found = hindranceOf(message);
    const side = sideOf(message, this.#places);
    if (found) return { class: found.class, text: hindranceText(side, found) };
    const what = `fails requests: ${message.replace(/\s+/g, " ").slice(0, textMax)}`;
    return { class: classifyMessage(message), text: hindranceText(side, { what }) };
  }

  #note(read: Omit<Found, "sinceMs">, nowMs: number, sinceMs: number): void {
    this.#found = { ...read, sinceMs: Math.min(this.#found?.sinceMs ?? nowMs, sinceMs) };
  }
}
