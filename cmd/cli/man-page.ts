import type { Example } from "./command.ts";
import { environment, exitStatus } from "./conventions.ts";
import { type FlagRow, flagSections } from "./flag-rows.ts";
import { usageOf } from "./help.ts";
import { allOf, type CommandTree, flagsOf } from "./tree.ts";
import { wrapCommand } from "./wrap.ts";

/** What is the same on all pages. */
export interface ManualFacts {
  readonly version: string;
}

/** A page's name, by which man finds it: "xfer-manifest-build". */
export function pageName({ spec }: CommandTree): string {
  return spec.name.replaceAll(" ", "-");
}

/** The man page of a command or of a group, as roff. `root` is the tree that holds it. */
export function manPage(root: CommandTree, tree: CommandTree, { version }: ManualFacts): string {
  const { spec } = tree;
  const name = pageName(tree);
  const paragraphs = [spec.description, ...(spec.details ?? [])];
  return [
    `.TH ${quoted(name.toUpperCase())} 1 "" ${quoted(`xfer ${version}`)} ${quoted("User commands")}`,
    // Flags are copied from a page: no word is divided, and no space is made wider.
    ".nh",
    ".ad l",
    ".SH NAME",
    `${text(name)} \\- ${text(spec.description)}`,
    ".SH SYNOPSIS",
    `.B ${text(usageOf(tree))}`,
    ".SH DESCRIPTION",
    ...paragraphs.flatMap((paragraph, i) => [...(i === 0 ? [] : [".PP"]), line(paragraph)]),
    ...commandLines(tree),
    ".SH OPTIONS",
    ...flagSections(flagsOf(tree)).flatMap(({ title, rows }) => [
      `.SS ${quoted(title)}`,
      ...rows.flatMap(rowLines),
    ]),
    ...exampleLines(spec.examples ?? []),
    ".SH EXIT STATUS",
    ...exitStatus.flatMap(termLines),
    ".SH ENVIRONMENT",
    ...environment.flatMap(termLines),
    ".SH SEE ALSO",
    seeAlso(root, tree),
    "",
  ].join("\n");
}

function commandLines(tree: CommandTree): string[] {
  if (tree.children.length === 0) return [];
  const lines = tree.children.flatMap(({ spec }) => termLines([spec.name, spec.description]));
  return [".SH COMMANDS", ...lines];
}

function termLines([term, says]: readonly [string, string]): string[] {
  return [".TP", `.B ${text(term)}`, line(says)];
}

function rowLines({ names, hint, says }: FlagRow): string[] {
  const shown = names.map((name) => `\\fB${text(name)}\\fR`).join(", ");
  return [
    ".TP",
    hint === undefined ? shown : `${shown} \\fI${text(hint).replaceAll("|", "|\\:")}\\fR`,
    line(says),
  ];
}

function exampleLines(examples: readonly Example[]): string[] {
  if (examples.length === 0) return [];
  const lines = examples.flatMap((example) => [
    ".PP",
    line(`${example.says}:`),
    ".PP",
    ".RS 4",
    ".nf",
    ...wrapCommand(example.line, 70).map(line),
    ".fi",
    ".RE",
  ]);
  return [".SH EXAMPLES", ...lines];
}

/** The pages beside, above and below this one. */
function seeAlso(root: CommandTree, tree: CommandTree): string {
  const above = allOf(root).filter((other) => other.children.includes(tree));
  const beside = above.flatMap((other) => other.children.filter((child) => child !== tree));
  const pages = [...above, ...beside, ...tree.children].map((other) => `\\fB${text(pageName(other))}\\fR(1)`);
  return pages.join(",\n");
}

/** Text as roff takes it literally: hyphens that can be copied, backslashes that are printed. */
function text(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}

/** A line of text: a dot or a quote at its start would be a request. */
function line(words: string): string {
  const escaped = text(words);
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** An argument of a request. */
function quoted(words: string): string {
  return `"${text(words).replaceAll('"', '""')}"`;
}
