/** How often a line is printed where nobody watches a terminal. */
const plainIntervalMs = 10_000;

/** Progress for a reader: one line rewritten in place on a terminal, a plain line now and then elsewhere. */
export class LiveLine {
  readonly #stream: NodeJS.WriteStream;
  #lastPlainAt = Date.now();
  #shown = false;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  update(text: string, nowMs = Date.now()): void {
    if (this.#stream.isTTY) {
      const width = Math.max(20, (this.#stream.columns || 80) - 1);
      this.#stream.write(`\r\x1b[2K${text.slice(0, width)}`);
      this.#shown = true;
    } else if (nowMs - this.#lastPlainAt >= plainIntervalMs) {
      this.#lastPlainAt = nowMs;
      this.#stream.write(`${text}\n`);
    }
  }

  /** Clears the live line, so that what is printed next starts on an empty one. */
  clear(): void {
    if (this.#shown) this.#stream.write("\r\x1b[2K");
    this.#shown = false;
  }
}
