import { hindranceOf } from "../lib/rclone/hindrance.ts";
import type { AskPlace } from "./ask-place.ts";
import type { Hindrances } from "./hindrance.ts";

const tickMs = 1_000;

/** Asks both places whether they answer, while rclone runs and shows no sign of life; ends when it is disposed of. */
export class HindranceAsker implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #end = new AbortController();
  #asking = false;

  constructor(hindrances: Hindrances, askPlace: AskPlace) {
    hindrances.start(Date.now());
    this.#timer = setInterval(() => {
      if (this.#asking || !hindrances.isToAsk(Date.now())) return;
      this.#asking = true;
      void this.#ask(hindrances, askPlace).finally(() => {
        this.#asking = false;
      });
    }, tickMs);
  }

  async #ask(hindrances: Hindrances, askPlace: AskPlace): Promise<void> {
    const stop = this.#end.signal;
    for (const side of ["source", "destination"] as const) {
      const message = await askPlace(side, stop).catch(() => undefined);
      if (stop.aborted) return;
      if (message === undefined || hindranceOf(message) === undefined) continue;
      return hindrances.asked(side, message, Date.now());
    }
    hindrances.bothAnswer();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#end.abort();
  }
}
