import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { failureClasses } from "../lib/rclone/failure-class.ts";
import { refused, refusedInListings } from "../lib/rclone/flag-rules.ts";
import { runtimeNames } from "../lib/rclone/runtime.ts";
import { runLayout, shardLayout } from "../lib/run/layout.ts";
import { exitCodes } from "../lib/system/errors.ts";

/** What the pages of reference say that the code says too: a name that is added to one is missed in the other. */

const root = join(import.meta.dir, "..");
const read = (name: string) => readFileSync(join(root, name), "utf8");
const page = (name: string) => read(`docs/reference/${name}.md`);

/** All files of a folder whose names end so, by their paths below the repository. */
function filesOf(folder: string, end: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(end))
    .map((name) => join(folder, name));
}

const lacking = (text: string, names: readonly string[]) => names.filter((name) => !text.includes(name));

test("every schema that the program writes or prints is on a page", () => {
  const code = ["lib", "agent", "cmd"].flatMap((folder) => filesOf(folder, ".ts")).map(read);
  const schemas = new Set(code.flatMap((text) => text.match(/\bxfer\.[a-z-]+\.v\d+\b/g) ?? []));
  expect(schemas.size).toBeGreaterThan(15);
  const pages = filesOf("docs/reference", ".md").map(read).join("\n");
  expect(lacking(pages, [...schemas])).toEqual([]);
});

test("every file of a run directory is on a page", () => {
  const { dir: _, ...run } = runLayout("");
  const names = Object.values(run).map((path) => path.replace(/^\/|\/$/g, ""));
  const pages = page("run-directory") + page("state-files");
  expect(
    lacking(
      pages,
      names.map((name) => name.replace(/^state\//, "")),
    ),
  ).toEqual([]);
  const { log, ...shard } = shardLayout(runLayout(""), 12);
  expect(lacking(pages, [log(1).replace(/^\//, "")])).toEqual([]);
  const endings = Object.values(shard).map((path) => path.replace(/^.*shard_(?:12|000012)/, ""));
  expect(lacking(pages, endings)).toEqual([]);
});

test("every field of a state file is on its page", () => {
  const states = ["attempt", "done", "fail", "progress"];
  const fields = states.flatMap((name) => [
    ...read(`lib/run/state/${name}.ts`).matchAll(/^ {2}(\w+): (?:v\.|count|digest|processIdentity)/gm),
  ]);
  expect(fields.length).toBeGreaterThan(60);
  expect(
    lacking(
      page("state-files"),
      fields.map(([, field = ""]) => `\`${field}\``),
    ),
  ).toEqual([]);
});

test("every program that is started by its name is on the page of what the binary needs", () => {
  const code = ["lib", "agent", "cmd"].flatMap((folder) => filesOf(folder, ".ts")).map(read);
  const starts = /\b(?:runProgram|findProgram|spawnSync|ignoringTerm|which)\(\[?"(?:\/bin\/)?(\w+)"/g;
  const programs = new Set(code.flatMap((text) => [...text.matchAll(starts)].map(([, name = ""]) => name)));
  for (const name of ["sync", "mkfifo", "sbatch", "scontrol", "sh", "man"]) expect(programs).toContain(name);
  const table = page("binary").split("## Programs that it starts")[1]?.split("\n## ")[0] ?? "";
  expect([...programs].filter((name) => !new RegExp(`\\b${name}\\b`).test(table))).toEqual([]);
});

test("exit codes, failure classes and runtimes are on their pages", () => {
  const row = (name: string | number) => `| ${name} |`;
  expect(lacking(page("exit-codes"), Object.values(exitCodes).map(row))).toEqual([]);
  expect(
    lacking(
      page("runtimes"),
      runtimeNames.map((name) => row(`\`${name}\``)),
    ),
  ).toEqual([]);
  const table = page("state-files");
  const at = failureClasses.map((name) => table.indexOf(row(`\`${name}\``)));
  expect(at.filter((place) => place === -1)).toEqual([]);
  // The topmost counts.
  expect(at).toEqual([...at].sort((a, b) => a - b));
});

test("every flag of rclone's that is refused is on its page", () => {
  const names = [...refused.keys(), ...refusedInListings.keys()].map((name) => `\`--${name}\``);
  expect(lacking(page("rclone-flags"), names)).toEqual([]);
});

test("files of the repository that the documents name are there", () => {
  const documents = ["ARCHITECTURE.md", "CONTRIBUTING.md", ...filesOf("docs", ".md")];
  const named = documents.flatMap((name) =>
    [...read(name).matchAll(/`((?:lib|agent|cmd|test|templates|\.ci)\/[\w./-]+)`/g)]
      .map(([, path = ""]) => path)
      .filter((path) => !path.includes("NAME"))
      .map((path) => ({ name, path })),
  );
  expect(named.length).toBeGreaterThan(60);
  const isThere = (path: string) => existsSync(join(root, path)) || existsSync(join(root, `${path}.ts`));
  expect(named.filter(({ path }) => !isThere(path))).toEqual([]);
});

test("lines of the documents fit 120 columns, but for tables and what programs print", () => {
  const documents = ["ARCHITECTURE.md", "CONTRIBUTING.md", ...filesOf("docs", ".md")].filter(
    // It is made of the flags' declarations.
    (name) => name !== "docs/reference/commands.md",
  );
  const long = documents.flatMap((name) =>
    read(name)
      .replace(/^```[\s\S]*?^```$/gm, "")
      .split("\n")
      .filter((line) => line.length > 120 && !/^(?:\|| {4})/.test(line))
      .map((line) => ({ name, line })),
  );
  expect(long).toEqual([]);
});
