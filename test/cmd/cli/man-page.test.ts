import { expect, test } from "bun:test";
import { manPage, pageName } from "../../../cmd/cli/man-page.ts";
import { allOf, type CommandTree, findTree } from "../../../cmd/cli/tree.ts";
import { ensurePackages, program } from "../../setup/packages.ts";
import { sample } from "./sample-tree.ts";

await ensurePackages([program("groff-base", "groff")]);

const hostile: CommandTree = {
  spec: {
    name: "xfer odd",
    description: `Says \\n, "so" -- and 'more'`,
    details: [".SH is no heading", "'tis no request", "a\\b"],
  },
  children: [],
};

/** A page as a terminal shows it, and what groff has to say against it. */
function shown(page: string): { text: string; warnings: string } {
  const options = { stdin: new Blob([page]), env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" } };
  const child = Bun.spawnSync(["groff", "-man", "-ww", "-Tascii", "-P-cbou"], options);
  return { text: child.stdout.toString(), warnings: child.stderr.toString() };
}

test.each([...allOf(sample), hostile].map((tree) => [pageName(tree), tree] as const))(
  "groff finds nothing wrong with %s(1)",
  (_name, tree) => expect(shown(manPage(sample, tree, { version: "1.2.3" })).warnings).toBe(""),
);

test("a page holds what its reader looks for", () => {
  const run = findTree(sample, ["run"]);
  const { text } = shown(run ? manPage(sample, run, { version: "1.2.3" }) : "");
  for (const part of [
    /^NAME\n +xfer-run - Copies a tree$/m,
    /^SYNOPSIS\n +xfer run --source ROOT --dest ROOT \[FLAGS\]$/m,
    /^ {2,}What and where\n +--source ROOT\n +what to copy \(required\)$/m,
    /^ +--executor slurm\|local\n +run the agents .*\n +\(default: slurm\)$/m,
    /^ +xfer run --source set --dest 'a b' --executor local$/m,
    /^ +75 +stopped early/m,
    /^SEE ALSO\n +xfer\(1\), xfer-manifest\(1\), /m,
    /^xfer 1\.2\.3 /m,
  ])
    expect(text).toMatch(part);
});

test("text is shown as it is, whatever roff makes of it", () => {
  const { text } = shown(manPage(sample, hostile, { version: "1" }));
  for (const part of [
    `xfer-odd - Says \\n, "so" -- and 'more'`,
    ".SH is no heading",
    "'tis no request",
    "a\\b",
  ])
    expect(text).toContain(part);
});
