import { quotedWords } from "./quoted-words.ts";

/**
 * The lines of a text that are no wider than so many columns. A word that is wider is broken where it can be; a no-break
 * space keeps its words together, and becomes a space.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  const words = text.split(/[ \t\n]+/).filter((word) => word !== "");
  for (const piece of words.flatMap((word) => pieces(word, width))) {
    const longer = line === "" ? piece.text : `${line}${piece.goesOn ? "" : " "}${piece.text}`;
    if (line !== "" && longer.length > width) {
      lines.push(line);
      line = piece.text;
    } else line = longer;
  }
  const all = line === "" ? lines : [...lines, line];
  return all.map((one) => one.replaceAll("\u00a0", " "));
}

/**
 * The lines of a shell's command line: each but the last ends in a backslash, the later ones are set in. A flag and its
 * value stay together where they fit.
 */
export function wrapCommand(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = "";
  for (const part of flagsWithValues(quotedWords(line), width - 4)) {
    const longer = current === "" ? part : `${current} ${part}`;
    if (current !== "" && longer.length > width - 2) {
      lines.push(`${current} \\`);
      current = `  ${part}`;
    } else current = longer;
  }
  return [...lines, current];
}

function flagsWithValues(words: readonly string[], most: number): string[] {
  const parts: string[] = [];
  for (const [i, word] of words.entries()) {
    const flag = words[i - 1] ?? "";
    const isValue = !word.startsWith("-") && /^--[^=]+$/.test(flag) && flag.length + 1 + word.length <= most;
    parts.push(isValue ? `${parts.pop()} ${word}` : word);
  }
  return parts;
}

interface Piece {
  text: string;
  /** Follows the piece before it without a space. */
  goesOn: boolean;
}

/** A word as it is; or in parts that fit, each ending after a mark such as `|`, `,` or `/` where there is one. */
function pieces(word: string, width: number): Piece[] {
  if (word.length <= width) return [{ text: word, goesOn: false }];
  const parts = word.match(/[^|,/=]*[|,/=]|[^|,/=]+/g) ?? [word];
  const fitting = parts.flatMap((part) => part.match(new RegExp(`.{1,${width}}`, "gsu")) ?? []);
  return fitting.map((text, i) => ({ text, goesOn: i > 0 }));
}
