import { classifyMessage, type FailureClass } from "../lib/rclone/failure-class.ts";
import { hindranceOf, hindranceText, type Side, type StorePlace, sideOf } from "../lib/rclone/hindrance.ts";
import type { RcloneStats } from "../lib/rclone/log.ts";
import type { HindranceState } from "../lib/run/state/progress.ts";

/** A hindrance shorter than this is not worth a word: rclone's next request may well be answered. */
const shownAfterMs = 2_000;
/** After so long without an object, a byte or a repeated request, the two places are asked whether they answer. */
const silenceMs = 8_000;
const askAgainMs = 20_000;
/** Bytes move, and no request was repeated for so long: what hindered is over. */
const overAfterMs = 15_000;
const textMax = 160;

/** Whether the two places are to be asked, after so long without a sign of life, and since the last time. */
export function isToAsk(silentMs: number, sinceAskMs: number): boolean {
  return silentMs >= silenceMs && sinceAskMs >= askAgainMs;
}

interface Found {
  class: FailureClass;
  text: string;
  sinceMs: number;
}

/**
 * What keeps an attempt from proving objects:
 *
 * | what is heard | it is |
 * |---|---|
 * | rclone repeats a request | what the message says of the store |
 * | nothing, for some seconds | what a place says that is asked, and does not answer |
 * | a pass ended with objects that are not proven | why, until the next one begins |
 * | an object is proven | nothing |
 * | bytes move, and no request was repeated for 15 s | nothing |
 *
 * Times are milliseconds of one clock, the caller's.
 */
export class Hindrances {
  readonly #places: Readonly<Record<Side, StorePlace | undefined>>;
  #found: Found | undefined;
  #nextPassMs: number | undefined;
  /** When rclone last did something, or began to run. */
  #signMs: number;
  #askedMs = Number.NEGATIVE_INFINITY;
  #heardMs = Number.NEGATIVE_INFINITY;
  #done = 0;

  constructor(places: Readonly<Record<Side, StorePlace | undefined>>, nowMs: number) {
    this.#places = places;
    this.#signMs = nowMs;
  }

  /** rclone begins to run. */
  start(nowMs: number): void {
    this.#nextPassMs = undefined;
    this.#signMs = nowMs;
    this.#askedMs = Number.NEGATIVE_INFINITY;
    this.#done = 0;
  }

  /** rclone repeats a request. */
  retry(message: string, nowMs: number): void {
    this.#heardMs = nowMs;
    this.#signMs = nowMs;
    this.#note(this.#reading(message), nowMs, nowMs);
  }

  proven(nowMs: number): void {
    this.#signMs = nowMs;
    this.#found = undefined;
  }

  stats({ done }: Pick<RcloneStats, "done">, nowMs: number): void {
    if (done === this.#done) return;
    this.#done = done;
    this.#signMs = nowMs;
    if (nowMs - this.#heardMs >= overAfterMs) this.#found = undefined;
  }

  /** Whether the places are to be asked; they are taken as asked from then on. */
  isToAsk(nowMs: number): boolean {
    if (!isToAsk(nowMs - this.#signMs, nowMs - this.#askedMs)) return false;
    this.#askedMs = nowMs;
    return true;
  }

  /** What a place said that was asked: undefined when it answers. */
  asked(side: Side, message: string | undefined, nowMs: number): void {
    const found = message === undefined ? undefined : hindranceOf(message);
    if (found) this.#note({ class: found.class, text: hindranceText(side, found) }, nowMs, this.#signMs);
  }

  /** Both places have answered. */
  bothAnswer(): void {
    this.#found = undefined;
  }

  /** A place is looked at, or waited for, and this is what it does; undefined when it answers again. */
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

  /** A pass has ended, with so much not proven, and the next one waits. */
  wait(why: { class: FailureClass; message: string; side?: Side }, nowMs: number, nextPassMs: number): void {
    const known = hindranceOf(why.message);
    // The end of a pass may tell less than what was heard in it.
    const text = known
      ? hindranceText(why.side ?? sideOf(why.message, this.#places), known)
      : (this.#found?.text ?? why.message.slice(0, textMax));
    this.#note({ class: why.class, text }, nowMs, nowMs);
    this.#nextPassMs = nextPassMs;
  }

  /** What hinders, for .progress; null while nothing does, or only for a moment. */
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
