import { codeMask } from "./code-mask.ts";

/** One small change of a source text. */
export interface Mutant {
  /** From 1. */
  line: number;
  /** The line as it is and as it becomes, without the space around it. */
  from: string;
  to: string;
  text: string;
}

/** A pattern in code, and what a match becomes; undefined leaves it alone. */
type Rule = [pattern: RegExp, change: (match: string) => string | undefined];

const swaps: readonly (readonly [string, string])[] = [
  [" > ", " >= "],
  [" >= ", " > "],
  [" < ", " <= "],
  [" <= ", " < "],
  [" === ", " !== "],
  [" !== ", " === "],
  [" && ", " || "],
  [" || ", " && "],
  [" - ", " + "],
  ["Math.max", "Math.min"],
  ["Math.min", "Math.max"],
  [".some(", ".every("],
  [".every(", ".some("],
];

// The formatter puts spaces around every binary operator, which tells them from the brackets of types.
const codeRules: readonly Rule[] = [
  ...swaps.map(([from, to]): Rule => [new RegExp(escaped(from), "g"), () => to]),
  [/(?<![\w.$])(?:true|false)(?![\w$])/g, (word) => (word === "true" ? "false" : "true")],
  [/(?<![\w.$])\d[\d_]*(?:\.\d+)?(?![\w.$])/g, (digits) => String(Number(digits.replaceAll("_", "")) + 1)],
  [/(?<![\w)\]!])!(?=[\w#(])/g, () => ""],
];

const expressionRules: readonly Rule[] = [
  [/^\/\^(?=.)/g, () => "/"],
  [/(?<!\\)\$(?=\/[a-z]*$)/g, () => ""],
];

/** Every small change of a text of formatted TypeScript that a test should notice. */
export function mutantsOf(text: string): Mutant[] {
  const { code, expressions } = codeMask(text);
  const mutants: Mutant[] = [];
  const add = (at: number, length: number, by: string) => {
    const mutated = text.slice(0, at) + by + text.slice(at + length);
    const start = text.lastIndexOf("\n", at - 1) + 1;
    const to = mutated.slice(start, endOfLine(mutated, start)).trim();
    const line = text.slice(0, at).split("\n").length;
    mutants.push({ line, from: text.slice(start, endOfLine(text, start)).trim(), to, text: mutated });
  };
  for (const [pattern, change] of codeRules) {
    for (const { 0: match, index } of code.matchAll(pattern)) {
      const by = change(match);
      if (by !== undefined) add(index, match.length, by);
    }
  }
  for (const { at, source } of expressions) {
    for (const [pattern, change] of expressionRules) {
      for (const { 0: match, index } of source.matchAll(pattern))
        add(at + index, match.length, change(match) ?? "");
    }
  }
  for (const { at, source } of expressions) {
    for (const { from, to } of alternativesIn(source)) add(at + from, to - from, "");
  }
  for (const { 0: row, index } of code.matchAll(tableRow)) {
    const line = text.slice(index, index + row.length);
    if (/\S/.test(line)) add(index + line.search(/\S/), line.trim().length, "");
  }
  for (const { 0: match, 1: indent = "", index } of code.matchAll(statement)) {
    add(index + indent.length, match.length - indent.length, ";");
  }
  return mutants.sort((a, b) => a.line - b.line);
}

/** A call, an assignment or a jump that is one line by itself. */
const statement =
  /^( +)(?:(?:await )?(?:this\.)?[#\w.]+(?:\?\.)?\(.*\);|(?:this\.)?[#\w.]+ (?:[+-]|\?\?)?= .*;|[#\w.]+(?:\+\+|--);|continue;|return;|throw .*;)$/gm;

/** A row of a list or table: strings and expressions are blanks in code. */
const tableRow = /^ +(?:\[.*\])?,$|^ +\{.*\},$/gm;

/** Each branch of each choice in a regular expression, with one of the bars beside it. */
function alternativesIn(source: string): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  const groups: number[][] = [[1]];
  const close = (end: number) => {
    const starts = groups.pop() ?? [];
    if (starts.length < 2) return;
    starts.forEach((from, index) => {
      const next = starts[index + 1];
      found.push(next === undefined ? { from: from - 1, to: end } : { from, to: next });
    });
  };
  for (const { 0: part, index } of source.matchAll(
    /\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]|<\w+>))?|[|)]/g,
  )) {
    if (part.startsWith("(")) groups.push([index + part.length]);
    else if (part === "|") groups.at(-1)?.push(index + 1);
    else if (part === ")") close(index);
  }
  close(source.lastIndexOf("/"));
  return found;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
