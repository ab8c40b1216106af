/** Reads the blocks and commands of a page of Markdown. */

/** A block of a page: fenced, or indented by four spaces. */
export interface Block {
  /** The number of its first line, from 1. */
  line: number;
  /** The nearest heading of level 2 above it; empty before the first. */
  heading: string;
  /** The word after a fence's backticks; undefined for an indented block. */
  info: string | undefined;
  lines: string[];
}

/** A command as a reader types it, and what the page says that it prints. */
export interface Command {
  line: number;
  text: string;
  told: string[];
}

/** All blocks of a page, in order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let open: Block | undefined;
  // Empty lines that belong to the open block if more of it follows.
  let empty = 0;
  for (const [index, line] of markdown.split("\n").entries()) {
    const fence = /^```(\w*)$/.exec(line);
    if (open?.info !== undefined) {
      if (fence) open = undefined;
      else open.lines.push(line);
    } else if (fence) {
      open = { line: index + 2, heading, info: fence[1] ?? "", lines: [] };
      blocks.push(open);
    } else if (line === "") {
      empty++;
      continue;
    } else if (line.startsWith("    ") && (open || empty > 0)) {
      if (!open) {
        open = { line: index + 1, heading, info: undefined, lines: [] };
        blocks.push(open);
      } else open.lines.push(...Array<string>(empty).fill(""));
      open.lines.push(line.slice(4));
    } else {
      open = undefined;
      heading = /^## (.*)$/.exec(line)?.[1] ?? heading;
    }
    empty = 0;
  }
  return blocks;
}

/** The commands of a block: lines that begin with `$ `, with those after a backslash, and what follows as their output. */
export function commandsOf(block: Block): Command[] {
  const commands: Command[] = [];
  for (const [index, line] of block.lines.entries()) {
    const last = commands.at(-1);
    if (line.startsWith("$ ")) commands.push({ line: block.line + index, text: line.slice(2), told: [] });
    else if (last && last.told.length === 0 && last.text.endsWith("\\")) last.text += `\n${line}`;
    else last?.told.push(line);
  }
  return commands;
}

/** The name that a heading has in links: GitHub's rule. */
function anchorOf(heading: string): string {
  const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
  return plain.replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

/** A page without its blocks. */
function proseOf(markdown: string): string[] {
  const inBlock = new Set(
    blocksOf(markdown).flatMap(({ line, lines }) => lines.map((_, index) => line + index)),
  );
  return markdown.split("\n").filter((_, index) => !inBlock.has(index + 1));
}

/** The anchors of a page's headings. */
export function anchorsOf(markdown: string): Set<string> {
  return new Set(proseOf(markdown).flatMap((line) => /^#+ (.*)$/.exec(line)?.slice(1).map(anchorOf) ?? []));
}

/** What a page's links lead to: those of other sites left out. */
export function linksOf(markdown: string): string[] {
  const prose = proseOf(markdown)
    .join("\n")
    .replace(/`[^`\n]*`/g, "");
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Every long flag that a page names, in its commands and in its text. */
export function flagsOf(markdown: string): Set<string> {
  return new Set(
    [...markdown.matchAll(/(?<![\w-])--([a-z](?:[a-z0-9-]*[a-z0-9])?)(?![\w-])/g)].map(
      ([, name = ""]) => name,
    ),
  );
}
