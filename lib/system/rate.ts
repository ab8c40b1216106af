/** The rate of a growing total over the last seconds. */
export class RateWindow {
  readonly #windowMs: number;
  #samples: { atMs: number; total: number }[] = [];

  constructor(windowMs = 20_000) {
    this.#windowMs = windowMs;
  }

  /** Notes the total at a moment and returns the units a second over the window; 0 until there are two moments. */
  add(atMs: number, total: number): number {
    this.#samples.push({ atMs, total });
    while (this.#samples.length > 2 && atMs - (this.#samples[1]?.atMs ?? atMs) >= this.#windowMs) {
      this.#samples.shift();
    }
    const first = this.#samples[0];
    return first && atMs > first.atMs ? Math.max(0, (1000 * (total - first.total)) / (atMs - first.atMs)) : 0;
  }
}
