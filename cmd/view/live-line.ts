import { isQuiet } from "../../lib/system/log.ts";

/** How often a line is printed where nobody watches a terminal. */
const plainIntervalMs = 10_000;

/** A part of a live line; on a narrow terminal the parts of the lowest weight go first. */
export interface LinePart {
  text: string;
  weight: number;
}

/** The parts that fit into so many columns, in their order; the heaviest one is cut when even that does not fit. */
export function fitParts(parts: readonly LinePart[], columns: number): string {
  const left = parts.filter(({ text }) => text !== "");
  const line = () => left.map(({ text }) => text).join("  ");
  while (left.length > 1 && Bun.stringWidth(line()) > columns) {
    const lightest = Math.min(...left.map(({ weight }) => weight));
    left.splice(
      left.findLastIndex(({ weight }) => weight === lightest),
      1,
    );
  }
  return cutToWidth(line(), columns);
}

/** The start of a text that takes no more than so many columns, without what would move the cursor. */
export function cutToWidth(text: string, columns: number): string {
  const plain = text.replace(/[\x00-\x1f\x7f-\x9f]/g, " ");
  if (Bun.stringWidth(plain) <= columns) return plain;
  let cut = "";
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(plain)) {
    width += Bun.stringWidth(segment);
    if (width > columns) break;
    cut += segment;
  }
  return cut;
}

/**
 * Progress for a reader: one line rewritten in place on a terminal, a plain line now and then elsewhere, and nothing at all
 * where the user wants quiet.
 */
export class LiveLine {
  readonly #stream: NodeJS.WriteStream;
  #lastPlainAt = Date.now();
  #shown = false;
  #news = "";

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** Shows a line; `news` that were not shown before are shown at once, wherever that is. */
  update(line: string | readonly LinePart[], { nowMs = Date.now(), news = "" } = {}): void {
    if (isQuiet()) return;
    const parts = typeof line === "string" ? [{ text: line, weight: 0 }] : line;
    if (this.#stream.isTTY) {
      // The last column stays free: some terminals wrap when it is filled.
      const columns = Math.max(20, (this.#stream.columns || 80) - 1);
      this.#stream.write(`\r\x1b[2K${fitParts(parts, columns)}`);
      this.#shown = true;
    } else if (nowMs - this.#lastPlainAt >= plainIntervalMs || (news !== "" && news !== this.#news)) {
      this.#lastPlainAt = nowMs;
      this.#stream.write(`${fitParts(parts, Number.POSITIVE_INFINITY)}\n`);
    }
    this.#news = news;
  }

  /** Clears the live line, so that what is printed next starts on an empty one. */
  clear(): void {
    if (this.#shown) this.#stream.write("\r\x1b[2K");
    this.#shown = false;
  }
}
