import { cutToWidth } from "./live-line.ts";

/** How a line looks on a terminal with colors. */
type Tone = "plain" | "good" | "bad" | "warn" | "dim";

/** A line of a screen: a word at its left that says what it is about, and the text. */
export interface ScreenLine {
  label: string;
  text: string;
  tone?: Tone;
  /** On a screen that is too low, the lines of the lowest weight go first. */
  weight: number;
  /** Whether all of it must be read, so that it is wrapped rather than cut. */
  isWhole?: boolean;
}

const labelWidth = 10;

const codes: Readonly<Record<Tone, readonly [string, string]>> = {
  plain: ["", ""],
  good: ["\x1b[32m", "\x1b[39m"],
  bad: ["\x1b[31m", "\x1b[39m"],
  warn: ["\x1b[33m", "\x1b[39m"],
  dim: ["\x1b[2m", "\x1b[22m"],
};

/** How much room there is, and whether it has colors. */
export interface Room {
  /** Infinite where lines go to a file. */
  columns: number;
  rows: number;
  isColored: boolean;
}

/**
 * The lines as they are printed: no wider than the room, and no more than it has. Long ones are wrapped. Where they are too
 * many, those are cut of which not all must be read; where they still are, the lightest are left out.
 */
export function layOut(lines: readonly ScreenLine[], room: Room): string[] {
  const blocksOf = (isCut: boolean) =>
    lines.map((line) => ({ weight: line.weight, rows: rowsOf(line, room, isCut) }));
  let blocks = blocksOf(false);
  const rows = () => blocks.reduce((sum, block) => sum + block.rows.length, 0);
  if (rows() > room.rows) blocks = blocksOf(true);
  while (blocks.length > 1 && rows() > room.rows) {
    const lightest = Math.min(...blocks.map(({ weight }) => weight));
    blocks.splice(
      blocks.findLastIndex(({ weight }) => weight === lightest),
      1,
    );
  }
  return blocks.flatMap((block) => block.rows).slice(0, room.rows);
}

function rowsOf({ label, text, tone = "plain", isWhole }: ScreenLine, room: Room, isCut: boolean): string[] {
  const plain = cutToWidth(text, Number.POSITIVE_INFINITY);
  const width = Math.max(10, room.columns - labelWidth);
  return partsOf(plain, width, isCut && !isWhole).map((part, i) => {
    const head = (i === 0 ? label : "").padEnd(labelWidth);
    if (!room.isColored) return `${head}${part}`.trimEnd();
    const [on, off] = codes[tone];
    return `\x1b[1m${head}\x1b[22m${on}${part}${off}`;
  });
}

function partsOf(plain: string, width: number, isCut: boolean): string[] {
  if (!Number.isFinite(width)) return [plain];
  return isCut ? [shortened(plain, width)] : Bun.wrapAnsi(plain, width, { hard: true }).split("\n");
}

/** A text that is no wider than that, with dots where it was cut. */
export function shortened(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  return `${cutToWidth(text, Math.max(1, width - 3))}...`;
}

/** Rows of words as columns, by the width that a terminal gives them. */
export function columnsOf(rows: readonly (readonly string[])[]): string[] {
  const plain = rows.map((row) => row.map((word) => cutToWidth(word, Number.POSITIVE_INFINITY)));
  const widths: number[] = [];
  for (const row of plain) {
    for (const [i, word] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, Bun.stringWidth(word));
  }
  return plain.map((row) =>
    row
      .map((word, i) => word + " ".repeat((widths[i] ?? 0) - Bun.stringWidth(word)))
      .join("  ")
      .trimEnd(),
  );
}
