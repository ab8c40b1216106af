import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Flag } from "../../cmd/flags/flag.ts";
import { globalFlags } from "../../cmd/flags/global.ts";
import { flagKind } from "../../lib/rclone/flag-table.ts";
import { sbatchTable, srunTable } from "../../lib/slurm/option-table.ts";
import { allCommands } from "../cmd/command-line.ts";
import { anchorsOf, blocksOf, flagsOf, linksOf } from "./page.ts";

/** What the pages refer to is there: pages, headings, flags, messages. */

const root = join(import.meta.dir, "..", "..");
const read = (page: string) => readFileSync(join(root, page), "utf8");

const pages = [...new Bun.Glob("**/*.md").scanSync({ cwd: root, dot: true })]
  .filter((path) => !/(?:^|\/)(?:node_modules|dist|\.git)\//.test(path))
  .sort();

/** What stands in a quoted message for words of the reader's, and what is put together from parts. */
const variable = /FILE|\.\.\.|src:bucket\/set|the source|, since|\d+|^warning: |^xfer: |^not verified: /;

test("every message that the page of troubles quotes, and does not cause, is one of xfer's own", () => {
  const page = read("docs/guide/troubleshooting.md");
  const shown = blocksOf(page).flatMap(({ info, lines }) => (info === "text" ? lines : []));
  const headings = page.split("\n").filter((line) => line.startsWith("### "));
  const quoted = headings.flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text));
  const sources = ["lib", "agent", "cmd"].flatMap((dir) =>
    [...new Bun.Glob(`${dir}/**/*.ts`).scanSync({ cwd: root })].map(read),
  );
  // A literal that goes on in the next line is one text.
  const code = sources.join("\n").replace(/["`] ?\+\s*["`]/g, "");
  const parts = [...shown, ...quoted].flatMap((line) => line.split(variable).map((part) => part.trim()));
  const unknown = parts.filter((part) => part.length > 3 && !code.includes(part));
  expect(shown.length + quoted.length).toBeGreaterThan(8);
  expect(unknown).toEqual([]);
});

test("every link from one page to another leads to a file, and to a heading that is there", () => {
  const broken: string[] = [];
  for (const page of pages) {
    for (const link of linksOf(read(page))) {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : relative(root, join(root, dirname(page), path));
      const isThere = existsSync(join(root, target));
      if (!isThere || (anchor !== undefined && !anchorsOf(read(target)).has(anchor))) {
        broken.push(`${page}: ${link}`);
      }
    }
  }
  expect(pages.length).toBeGreaterThan(10);
  expect(broken).toEqual([]);
});

/** Flags that pages name of other programs than xfer, rclone, sbatch and srun. */
const otherFlags = [
  // Mirrors that the guide compares.
  ...["delete", "delete-dst", "remove", "watch"],
  // `bun run bench`, `bun install`, git, and the release script.
  ...["dir", "only", "records", "repeat", "frozen-lockfile", "follow-tags", "cut"],
  // squeue.
  "me",
  // sha256sum.
  ...["check", "ignore-missing"],
];

/** Every flag of xfer's commands, by all of its names, and what turns a switch off. */
async function ownFlags(): Promise<string[]> {
  const declared = [...(await allCommands()).values()].map(({ spec }) => spec.flags);
  const all = [globalFlags, ...declared].flatMap((flags) => Object.entries<Flag>(flags));
  const names = all.flatMap(([name, { type, otherNames = [] }]) => [
    ...[name, ...otherNames],
    ...(type === "boolean" ? [`no-${name}`] : []),
  ]);
  return [...names, "no-modtime", "help", "help-all", "version"];
}

test("no page names a flag that neither xfer nor rclone nor Slurm has", async () => {
  const known = new Set([...otherFlags, ...(await ownFlags())]);
  for (const { kinds } of [sbatchTable, srunTable]) for (const name of kinds.keys()) known.add(name);
  const isRclones = (name: string) =>
    flagKind("copy", name) !== "unknown" || flagKind("lsjson", name) !== "unknown";
  const unknown = pages
    .filter((page) => page !== "CHANGELOG.md")
    .flatMap((page) =>
      [...flagsOf(read(page))]
        .filter((name) => !known.has(name) && !isRclones(name))
        .map((name) => `${page}: --${name}`),
    );
  expect(known.size).toBeGreaterThan(100);
  expect(unknown).toEqual([]);
});
