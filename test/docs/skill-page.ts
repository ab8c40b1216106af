import { splitWords } from "../../lib/system/shell-words.ts";
import { blocksOf } from "./page.ts";

/** Reads pages by which Claude Code drives xfer: the skills, and CLAUDE.md. */

/** A call of xfer that a page shows. */
export interface Call {
  /** Its words after `xfer`. */
  readonly words: readonly string[];
  /** Whether it stands in a sentence, and may leave out what it is not about. */
  readonly isInline: boolean;
  readonly line: string;
}

/** Words that end a command in a shell's line. */
const ends = new Set(["&&", "||", ";", "|", ">", "<", ">>", "2>"]);

/** Every call of xfer on a page: in its blocks, also behind ssh, and between backticks. */
export function callsOf(page: string): Call[] {
  const lines = blocksOf(page).flatMap(({ lines }) => joined(lines));
  const blocks = lines.flatMap((line) => callsIn(line).map((words) => ({ words, isInline: false, line })));
  const inline = [...proseOf(page).matchAll(/`xfer ([^`]+)`/g)].map(([line, text = ""]) => ({
    words: splitWords(text, line),
    isInline: true,
    line,
  }));
  return [...blocks, ...inline];
}

/** The page without its blocks, a line break being a space. */
function proseOf(page: string): string {
  return page.replace(/^```[\s\S]*?^```$/gm, "").replaceAll("\n", " ");
}

/** Lines of shell, those that end in a backslash joined to the next. */
function joined(lines: readonly string[]): string[] {
  return lines
    .join("\n")
    .replace(/\\\n\s*/g, "")
    .split("\n");
}

function callsIn(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const word of splitWords(line, line)) {
    if (ends.has(word)) commands.push([]);
    else commands.at(-1)?.push(word);
  }
  return commands.flatMap((words) => {
    if (words[0] === "ssh") return callsIn(words.at(-1) ?? "");
    return words[0] === "xfer" ? [words.slice(1)] : [];
  });
}

/** A table of fields: whose they are, and their paths. */
export interface FieldTable {
  /** `xfer manifest build --json`, or the name of a file. */
  readonly of: string;
  readonly fields: readonly string[];
}

/** The tables of a page whose heads say "field of". */
export function fieldTablesOf(page: string): FieldTable[] {
  return tablesOf(page).flatMap(({ head, rows }) => {
    const of = /^field of `(.+)`$/.exec(head)?.[1];
    return of === undefined ? [] : [{ of, fields: rows.flatMap(quotedIn) }];
  });
}

/** The exit codes that a page says something of. */
export function exitCodesOf(page: string): string[] {
  const table = tablesOf(page).find(({ head }) => head === "exit code");
  return (table?.rows ?? []).flatMap((cell) => cell.split(", "));
}

const quotedIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);

/** Each table's first column. */
function tablesOf(page: string): { head: string; rows: string[] }[] {
  return [...page.matchAll(/(?:^\|.*\n)+/gm)].map(([table]) => {
    const [head = "", , ...rows] = table
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" | ")[0]?.replace(/^\| /, "") ?? "");
    return { head, rows };
  });
}

/** Whether a value has a field: `a.b` of an object, `a[].b` of the first of a list. */
export function hasField(value: unknown, path: string): boolean {
  let current = value;
  for (const part of path.split(".")) {
    const name = part.replace(/\[\]$/, "");
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, name)) return false;
    current = (current as Record<string, unknown>)[name];
    if (part.endsWith("[]")) {
      if (!Array.isArray(current) || current.length === 0) return false;
      current = current[0];
    }
  }
  return true;
}
