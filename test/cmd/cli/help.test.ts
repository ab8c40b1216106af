import { expect, test } from "bun:test";
import { helpText } from "../../../cmd/cli/help.ts";
import { findTree } from "../../../cmd/cli/tree.ts";
import { sample } from "./sample-tree.ts";

function help(words: string, layout: { width?: number; all?: boolean; colors?: boolean } = {}): string {
  const tree = findTree(sample, words === "" ? [] : words.split(" "));
  if (!tree) throw new Error(`the sample has no ${words}`);
  return helpText(tree, { width: 80, all: false, colors: false, ...layout });
}

test("a command's help shows the common flags in their groups, and says how many more there are", () => {
  expect(help("run")).toBe(`Copies a tree

Usage: xfer run --source ROOT --dest ROOT [FLAGS]

What and where:
  --source ROOT  what to copy (required)
  --dest ROOT    where to (required)

rclone:
  --conf FILE    the configuration (also: --rclone-conf) (default: rclone's own)

Output:
  --json         print the result as JSON
  -h, --help     show this help
  --help-all     show all flags, and more about the command

Examples:
  Copy here:
    xfer run --source set --dest 'a b' --executor local
  Copy on a cluster:
    xfer run --source src:bucket/set --dest dst:bucket/set \\
      --rclone-flags '--transfers 4 --checkers 8' --json

6 more flags: xfer run --help-all
`);
});

test.each([
  ["details", /^A run that was stopped goes on where it was\.$/m],
  [
    "values, and the default once",
    /^ {2}--executor slurm\|local {2,}run the agents .*\n.*\(default: slurm\)$/m,
  ],
  [
    "a switch that is on, and how to turn it off",
    /--fast-list .*\n +\(default: on\)\n {2}--no-fast-list +list/,
  ],
  [
    "a long list of values, above what the flag does",
    /^ {2}--level\n {4}nothing.*\|.*\n {20,}how much is said$/m,
  ],
  ["flags of every command, by both names", /^ {2}-q, --quiet /m],
])("all help shows %s", (_what, pattern) => expect(help("run", { all: true })).toMatch(pattern));

test("all help has no more to show", () => expect(help("run", { all: true })).not.toContain("--help-all"));

test("a group's help shows its commands and where to go on", () => {
  expect(help("manifest")).toBe(`Works on manifests

Usage: xfer manifest COMMAND [FLAGS]

Commands:
  build  Lists a source
  shard  Cuts a manifest

More of a command: xfer manifest COMMAND --help
`);
});

test("the usage shows what a command takes beside flags", () => {
  expect(help("completion")).toContain("Usage: xfer completion bash|zsh [FLAGS]\n");
});

test.each([30, 40, 59, 60, 80, 81, 200])("no line is wider than %d columns, or than 100", (width) => {
  const texts = ["", "run", "manifest", "slurm render", "help"].flatMap((words) => [
    help(words, { width }),
    help(words, { width, all: true }),
  ]);
  // A word of an example that is longer than a line stays whole: in parts it would not be the same word.
  const lines = texts
    .join("\n")
    .split("\n")
    .filter((line) => width >= 60 || !/^ {4,6}(?:xfer|--|')/.test(line));
  expect(lines.filter((line) => line.length > Math.min(width, 100))).toEqual([]);
});

test("colors change nothing but the color", () => {
  const colored = help("run", { colors: true });
  expect(colored).toContain("\x1b[1mWhat and where:\x1b[22m");
  expect(Bun.stripANSI(colored)).toBe(help("run"));
});
