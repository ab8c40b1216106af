/** The rate of a growing total over its last seconds. */
export class RateWindow {
  readonly #windowMs: number;
  #samples: { atMs: number; total: number }[] = [];

  constructor(windowMs = 20_000) {
    this.#windowMs = windowMs;
  }

  /** Notes the total at this time, and returns the units a second over the window; 0 until two times are known. */
  add(atMs: number, total: number): number {
    this.#samples.push({ atMs, total });
    while (this.#samples.length > 2 && atMs - (this.#samples[1]?.atMs ?? atMs) >= this.#windowMs) {
      this.#samples.shift();
    }
    const first = this.#samples[0];
    return first && atMs > first.atMs ? Math.max(0, (1000 * (total - first.total)) / (atMs - first.atMs)) : 0;
  }
}
