import { type Flag, type Flags, flagGroups } from "../flags/flag.ts";
import { globalFlags } from "../flags/global.ts";
import type { CommandSpec, Example, GroupSpec } from "./command.ts";
import { environment, exitStatus } from "./conventions.ts";
import { type FlagRow, type FlagSection, flagSections, hintOf, isRequired, rowText } from "./flag-rows.ts";
import { type CommandTree, flagsOf, lastWord } from "./tree.ts";
import { wrap, wrapCommand } from "./wrap.ts";

/** How a help is laid out. */
export interface HelpLayout {
  /** Columns of the terminal. */
  readonly width: number;
  /** Every flag, and what is to be said beyond one line. */
  readonly all: boolean;
  readonly colors: boolean;
}

/** Text is not made wider than this, however wide the terminal is: long lines are hard to read. */
const widthMax = 100;
/** On a narrower terminal what a flag does stands below the flag. */
const widthOfTwoColumns = 60;
/** Flags that are longer than this have what they do below them. */
const termMax = 26;

/** The help of a command or of a group. */
export function helpText(tree: CommandTree, layout: HelpLayout): string {
  const page = new Page({ ...layout, width: Math.max(20, Math.min(layout.width, widthMax)) });
  if ("flags" in tree.spec) commandHelp(page, tree, tree.spec);
  else groupHelp(page, tree, tree.spec);
  return page.text();
}

/** How a command is called: "xfer manifest build --source ROOT --out FILE [FLAGS]". */
export function usageOf(tree: CommandTree): string {
  const { spec } = tree;
  if (!("flags" in spec)) return `${spec.name} COMMAND [FLAGS]`;
  const required = Object.entries(spec.flags).filter(([, flag]) => isRequired(flag));
  const words = required.map(([name, flag]) => `--${name} ${hintOf(flag)}`);
  return [spec.name, ...(spec.operands ? [spec.operands.usage] : []), ...words, "[FLAGS]"].join(" ");
}

function commandHelp(page: Page, tree: CommandTree, spec: CommandSpec<Flags>): void {
  page.paragraph(spec.description);
  page.usage(usageOf(tree));
  if (page.layout.all) for (const text of spec.details ?? []) page.paragraph(text);
  const flags = flagsOf(tree);
  const isShown = (flag: Flag) => page.layout.all || flag.common || isRequired(flag);
  const hidden = Object.values(flags).filter((flag) => !isShown(flag)).length;
  page.sections(withHelp(flagSections(flags, isShown), hidden > 0));
  page.examples(spec.examples ?? []);
  if (hidden > 0) page.paragraph(`${hidden} more flags: ${spec.name} --help-all`);
}

function groupHelp(page: Page, tree: CommandTree, spec: GroupSpec): void {
  page.paragraph(spec.description);
  page.usage(usageOf(tree));
  if (page.layout.all) for (const text of spec.details ?? []) page.paragraph(text);
  page.heading("Commands");
  page.rows(tree.children.map((child) => ({ term: lastWord(child), says: child.spec.description })));
  if (page.layout.all) {
    page.heading("Flags of every command");
    const version = isRoot(tree) ? [versionRow] : [];
    const rows = [...flagSections(globalFlags).flatMap((section) => section.rows), ...helpRows, ...version];
    page.rows(rows.map(pageRow));
  }
  if (page.layout.all && isRoot(tree)) {
    page.heading("Exit codes");
    page.rows(exitStatus.map(([term, says]) => ({ term, says })));
    page.heading("Environment");
    page.rows(environment.map(([term, says]) => ({ term, says })));
  }
  page.examples(spec.examples ?? []);
  if (!page.layout.all && isRoot(tree))
    page.paragraph(`Flags of every command, exit codes: ${spec.name} --help-all`);
  page.paragraph(`More of a command: ${spec.name} COMMAND --help`);
}

const helpRow: FlagRow = { names: ["-h", "--help"], hint: undefined, says: "show this help" };
const helpRows: readonly FlagRow[] = [
  helpRow,
  { names: ["--help-all"], hint: undefined, says: "show all flags, and more about the command" },
];

const versionRow: FlagRow = { names: ["--version"], hint: undefined, says: "print the version" };

const isRoot = ({ spec }: CommandTree): boolean => !spec.name.includes(" ");

/** The sections, with the flags that ask for help in the last group. */
function withHelp(sections: readonly FlagSection[], isLonger: boolean): FlagSection[] {
  const rows = isLonger ? helpRows : [helpRow];
  const last = sections.at(-1);
  if (last?.title !== flagGroups.output) return [...sections, { title: flagGroups.output, rows }];
  return [...sections.slice(0, -1), { ...last, rows: [...last.rows, ...rows] }];
}

interface Row {
  term: string;
  says: string;
}

function pageRow(row: FlagRow): Row {
  return { term: rowText(row), says: row.says };
}

/** Lines of a help, wrapped as they are added; a blank line stands between blocks. */
class Page {
  readonly layout: HelpLayout;
  readonly #blocks: string[][] = [];

  constructor(layout: HelpLayout) {
    this.layout = layout;
  }

  text(): string {
    return `${this.#blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
  }

  paragraph(text: string): void {
    this.#blocks.push(wrap(text, this.layout.width));
  }

  usage(text: string): void {
    const label = "Usage: ";
    const [first = "", ...more] = wrap(text, this.layout.width - label.length);
    const indent = " ".repeat(label.length);
    this.#blocks.push([`${this.#bold("Usage:")} ${first}`, ...more.map((line) => indent + line)]);
  }

  heading(title: string): void {
    this.#blocks.push([this.#bold(`${title}:`)]);
  }

  sections(sections: readonly FlagSection[]): void {
    const all = sections.map(({ title, rows }) => ({
      title,
      rows: rows.map(pageRow),
    }));
    const column = columnOf(all.flatMap(({ rows }) => rows));
    for (const { title, rows } of all) {
      this.heading(title);
      this.rows(rows, column);
    }
  }

  /** Adds rows to the block under the last heading. */
  rows(rows: readonly Row[], column = columnOf(rows)): void {
    const { width } = this.layout;
    const isNarrow = width < widthOfTwoColumns;
    const start = isNarrow ? 6 : 2 + column + 2;
    for (const { term, says } of rows) {
      const lines = wrap(says.replace(/\(default: \S{1,12}\)/, shortDefault), width - start);
      const fits = !isNarrow && term.length <= column;
      const above = fits ? [] : wrap(term, width - 4);
      const left = fits ? `  ${this.#cyan(term)}${" ".repeat(start - 2 - term.length)}` : " ".repeat(start);
      this.#last().push(
        ...above.map((line, i) => `${i === 0 ? "  " : "    "}${this.#cyan(line)}`),
        ...lines.map((line, i) => (i === 0 ? left : " ".repeat(start)) + line),
      );
    }
  }

  examples(examples: readonly Example[]): void {
    if (examples.length === 0) return;
    this.heading("Examples");
    for (const { says, line } of examples) {
      this.#last().push(
        ...wrap(`${says}:`, this.layout.width - 2).map((text) => `  ${text}`),
        ...wrapCommand(line, this.layout.width - 4).map((text) => `    ${text}`),
      );
    }
  }

  #last(): string[] {
    const last = this.#blocks.at(-1);
    if (!last) throw new Error("rows belong under a heading");
    return last;
  }

  #bold(text: string): string {
    return this.layout.colors ? `\x1b[1m${text}\x1b[22m` : text;
  }

  #cyan(text: string): string {
    return this.layout.colors ? `\x1b[36m${text}\x1b[39m` : text;
  }
}

/** "(default: 4)" is not divided between two lines. */
const shortDefault = (text: string) => text.replace(" ", "\u00a0");

/** How wide the column of terms is. */
function columnOf(rows: readonly Row[]): number {
  const fitting = rows.map(({ term }) => term.length).filter((length) => length <= termMax);
  return Math.max(0, ...fitting);
}
