import type { ReadProgress } from "../../lib/system/line-blocks.ts";
import { readingText } from "./doing.ts";
import { LiveLine } from "./live-line.ts";

/** How often progress is looked at: a clock that is read for each block costs nothing, a terminal does. */
const intervalMs = 200;

/** Shows how far the reading of a long input is, on stderr. */
export class ReadingLine {
  readonly #live = new LiveLine();
  #shownAt = Date.now();

  /** A callback for the reader; `what` says what is done with the input. */
  show(what: string): (progress: ReadProgress) => void {
    return (progress) => {
      const now = Date.now();
      if (now - this.#shownAt < intervalMs) return;
      this.#shownAt = now;
      this.#live.update(readingText(what, progress), { nowMs: now });
    };
  }

  clear(): void {
    this.#live.clear();
  }
}
