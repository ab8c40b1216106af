import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { skills } from "../../lib/skills/embedded.ts";
import { exitCodes } from "../../lib/system/errors.ts";
import { quoteWords } from "../../lib/system/shell-words.ts";
import { allCommands, toldOf } from "../cmd/command-line.ts";
import { callsOf, exitCodesOf, fieldTablesOf, hasField } from "./skill-page.ts";

const root = join(import.meta.dir, "..", "..");
const read = (page: string) => readFileSync(join(root, page), "utf8");
const pages: [string, string][] = [
  ["CLAUDE.md", read("CLAUDE.md")],
  ...skills.map(({ name, text }): [string, string] => [name, text]),
];
const commands = await allCommands();

/** What is wrong with a call of xfer; undefined when xfer would take it. */
async function wrongWith({ words, isInline }: { words: readonly string[]; isInline: boolean }) {
  const names = [...commands.keys()].filter((name) => `${words.join(" ")} `.startsWith(`${name} `));
  const name = names.sort((a, b) => b.length - a.length)[0];
  const isGroup = [...commands.keys()].some((one) => one.startsWith(`${words.join(" ")} `));
  const command = name === undefined ? undefined : commands.get(name);
  if (!command || name === undefined) return isInline && isGroup ? undefined : "no such command";
  const told = await toldOf(command, quoteWords(words.slice(name.split(" ").length)));
  return told === "taken" || (isInline && / is missing$/.test(told)) ? undefined : told;
}

describe.each(pages)("%s", (_name, page) => {
  test("shows calls of xfer that xfer takes", async () => {
    const calls = callsOf(page);
    expect(calls.length).toBeGreaterThan(1);
    for (const call of calls) expect([call.line, await wrongWith(call)]).toEqual([call.line, undefined]);
  });

  test("has lines of 120 columns at most, but for tables, commands and the front matter", () => {
    const prose = page.replace(/^```[\s\S]*?^```$/gm, "").split("\n");
    const long = prose.filter((line) => line.length > 120 && !/^(?:\||description: )/.test(line));
    expect(long).toEqual([]);
  });
});

describe.each([...skills])("$name", ({ name, description, text }) => {
  test("has a front matter as Claude Code reads it", () => {
    const [, block = ""] = /^---\n([\s\S]*?)\n---\n\n# /.exec(text) ?? [];
    expect(Bun.YAML.parse(block)).toEqual({ name, description });
    expect(name).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    expect(name.length).toBeLessThan(65);
    expect(description.length).toBeLessThan(1025);
    // By it Claude decides whether the skill is read.
    expect(description).toMatch(/\bUse it (?:when|after|whenever|for)\b/);
  });

  test("is short enough to be read whole, and says what is asked, read and done next", () => {
    expect(text.split("\n").length).toBeLessThan(200);
    const headings = text.split("\n").filter((line) => line.startsWith("## "));
    expect(headings).toContain("## On a cluster");
    expect(headings.at(-1)).toBe("## Next");
    expect(fieldTablesOf(text).length).toBeGreaterThan(0);
  });

  test("says what to do at every exit code", () => {
    expect(exitCodesOf(text).sort()).toEqual(Object.values(exitCodes).map(String).sort());
  });

  test("is a folder's own file, and is named by CLAUDE.md", () => {
    expect(read(`.claude/skills/${name}/SKILL.md`)).toBe(text);
    expect(read("CLAUDE.md")).toInclude(`| \`${name}\` |`);
  });
});

test("the binary holds all skills of the repository", () => {
  expect(skills.map(({ name }) => name).sort()).toEqual(readdirSync(join(root, ".claude", "skills")).sort());
  expect(skills.length).toBe(9);
});

test("a call, a field and an exit code that are wrong are found", async () => {
  const page = [
    "Run `xfer manifest shard --in M`, or `xfer slurm`, not `xfer slurm cancel`.\n",
    "```sh",
    "xfer run --source a --dest b \\",
    "  --frob 1 > out",
    "ssh LOGIN 'cd F && xfer manifest rebase --in m | head'",
    "```\n",
    "| field of `xfer run --json` | says |\n|---|---|\n| `a`, `b[].c` | it |\n",
    "| exit code | what to do |\n|---|---|\n| 0, 7 | go on |\n",
  ].join("\n");
  const calls = callsOf(page);
  expect(calls.map(({ words }) => words.join(" "))).toEqual([
    "run --source a --dest b --frob 1",
    "manifest rebase --in m",
    "manifest shard --in M",
    "slurm",
    "slurm cancel",
    "run --json",
  ]);
  expect(await Promise.all(calls.map(wrongWith))).toEqual([
    "unknown flag --frob",
    "--out is missing",
    undefined,
    undefined,
    "no such command",
    undefined,
  ]);
  expect(fieldTablesOf(page)).toEqual([{ of: "xfer run --json", fields: ["a", "b[].c"] }]);
  expect(exitCodesOf(page)).toEqual(["0", "7"]);
  const value = { a: null, b: [{ c: 1 }], d: [] };
  const fields = ["a", "b[].c", "b", "b[].d", "d[].c", "a.b", "e"];
  expect(fields.filter((field) => hasField(value, field))).toEqual(["a", "b[].c", "b"]);
});
