import type { Flags } from "../flags/flag.ts";
import { globalFlags } from "../flags/global.ts";
import { environment, exitStatus } from "./conventions.ts";
import { type FlagRow, flagSections, rowText } from "./flag-rows.ts";
import { usageOf } from "./help.ts";
import { allOf, type CommandTree } from "./tree.ts";
import { wrapCommand } from "./wrap.ts";

/** The page that names every command and every flag, as Markdown. */
export function referenceText(root: CommandTree): string {
  const trees = allOf(root);
  const contents = trees.map(
    ({ spec }) => `- [${spec.name}](#${anchor(spec.name)}): ${escaped(spec.description)}`,
  );
  return [
    "# Commands",
    "Made from the declarations in `cmd/` by `test/cmd/cli/all-commands.test.ts`: change those, not this page.",
    contents.join("\n"),
    table("exit code of every command", exitStatus),
    table("environment of every command", environment),
    "Flags of every command:",
    ...sectionTables(globalFlags),
    ...trees.flatMap(commandBlocks),
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

function commandBlocks(tree: CommandTree): string[] {
  const { spec } = tree;
  const examples = spec.examples ?? [];
  const commands = tree.children.map(
    (child) => `| [${child.spec.name}](#${anchor(child.spec.name)}) | ${cell(child.spec.description)} |`,
  );
  return [
    `## ${spec.name}`,
    `${escaped(spec.description)}.`,
    ...(spec.details ?? []).map(escaped),
    fenced(wrapCommand(usageOf(tree), 90)),
    ...(commands.length > 0 ? [["| command | what it does |", "|---|---|", ...commands].join("\n")] : []),
    ...("flags" in spec ? sectionTables(spec.flags) : []),
    ...(examples.length > 0 ? ["Examples:"] : []),
    ...(examples.length > 0
      ? [fenced(examples.flatMap(({ says, line }) => [`# ${says}`, ...wrapCommand(line, 90)]))]
      : []),
  ];
}

function sectionTables(flags: Flags): string[] {
  return flagSections(flags).map(({ title, rows }) =>
    [`| ${title} | |`, "|---|---|", ...rows.map(rowLine)].join("\n"),
  );
}

function table(title: string, rows: readonly (readonly [string, string])[]): string {
  return [
    `| ${title} | |`,
    "|---|---|",
    ...rows.map(([term, says]) => `| \`${term}\` | ${cell(says)} |`),
  ].join("\n");
}

function rowLine(row: FlagRow): string {
  return `| \`${rowText(row).replaceAll("|", "\\|")}\` | ${cell(row.says)} |`;
}

function fenced(lines: readonly string[]): string {
  return ["```sh", ...lines, "```"].join("\n");
}

/** Text in which nothing is markup. */
function escaped(text: string): string {
  return text.replace(/[<>*_`[\]]/g, (mark) => `\\${mark}`);
}

function cell(text: string): string {
  return escaped(text).replaceAll("|", "\\|");
}

/** The anchor that a heading gets. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(" ", "-");
}
