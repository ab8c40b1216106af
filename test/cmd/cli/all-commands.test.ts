import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../cmd/cli/commands.ts";
import { helpText } from "../../../cmd/cli/help.ts";
import { loadTree } from "../../../cmd/cli/load-tree.ts";
import { manPage, pageName } from "../../../cmd/cli/man-page.ts";
import { referenceText } from "../../../cmd/cli/reference.ts";
import { allOf } from "../../../cmd/cli/tree.ts";
import { ensurePackages, program } from "../../setup/packages.ts";
import { expectGolden } from "../golden.ts";

// What is made from the declarations of all commands. UPDATE_GOLDEN=1 writes the committed files anew.

const tree = await loadTree(root);
const commands = allOf(tree).map((one) => [pageName(one), one] as const);
const golden = (name: string) => join(import.meta.dir, "..", "golden", name);

test.each(commands)("the help of %s, with no line over 80 columns", (name, command) => {
  const [common, all] = [false, true].map((all) => helpText(command, { width: 80, all, colors: false }));
  expectGolden(golden(`${name}.help.txt`), common ?? "");
  expectGolden(golden(`${name}.help-all.txt`), all ?? "");
  const lines = `${common}${all}`.split("\n");
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

test("no golden help is of a command that is gone", () => {
  const names = commands.flatMap(([name]) => [`${name}.help.txt`, `${name}.help-all.txt`]);
  expect(readdirSync(golden("")).sort()).toEqual(names.sort());
});

test("docs/reference/commands.md is that of these commands", () => {
  expectGolden(join(import.meta.dir, "../../../docs/reference/commands.md"), referenceText(tree));
});

test("groff finds nothing wrong with any man page", async () => {
  await ensurePackages([program("groff-base", "groff")]);
  const pages = commands.map(([, command]) => manPage(tree, command, { version: "1.2.3" }));
  for (const page of pages) {
    const found = Bun.spawnSync(["groff", "-man", "-ww", "-z", "-Tascii"], { stdin: new Blob([page]) });
    expect(found.stderr.toString()).toBe("");
  }
});
