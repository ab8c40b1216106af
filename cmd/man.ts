import { join } from "node:path";
import { writeFileDurable } from "../lib/system/durable.ts";
import { childEnvironment } from "../lib/system/process.ts";
import { requireFolder } from "../lib/system/writable.ts";
import { version } from "../package.json" with { type: "json" };
import { command } from "./cli/command.ts";
import { noCommandText } from "./cli/did-you-mean.ts";
import { loadTree } from "./cli/load-tree.ts";
import { manPage, pageName } from "./cli/man-page.ts";
import { allOf, findTree } from "./cli/tree.ts";
import { UsageError } from "./cli/usage-error.ts";
import { flag } from "./flags/make.ts";
import { printText } from "./view/print.ts";

export default command({
  name: "xfer man",
  description: "Shows the manual page of xfer or of a command",
  details: [
    "On a terminal man(1) shows the page, where there is one; elsewhere it is printed as roff. --out writes all pages, " +
      "for a package or for a folder that man looks into.",
  ],
  examples: [
    { says: "Read a page", line: "xfer man manifest build" },
    { says: "Install all pages", line: "xfer man --out ~/.local/share/man/man1" },
  ],
  operands: { usage: "[COMMAND...]", most: Number.POSITIVE_INFINITY },
  flags: {
    out: flag.folder({
      ...{ group: "output", common: true },
      description: "write all pages to this folder, as xfer.1, xfer-run.1 and so on",
    }),
  },
  async run({ out }, { operands, root }) {
    const all = await loadTree(root);
    if (out !== undefined) {
      if (operands.length > 0) throw new UsageError("--out writes all pages: leave the command out");
      requireFolder("--out", out);
      const pages = allOf(all);
      for (const page of pages)
        writeFileDurable(join(out, `${pageName(page)}.1`), manPage(all, page, { version }));
      return printText(`${out}: ${pages.length} pages\n`);
    }
    const page = findTree(all, operands);
    if (!page) throw new UsageError(noCommandText(all, operands));
    await show(manPage(all, page, { version }));
  },
});

/** On a terminal the page is set and paged by man(1), where there is one. */
async function show(page: string): Promise<void> {
  const program = process.stdout.isTTY ? Bun.which("man") : null;
  if (program === null) return printText(page);
  const child = Bun.spawn([program, "-l", "-"], {
    stdin: new Blob([page]),
    stdout: "inherit",
    stderr: "inherit",
    env: childEnvironment(process.env),
  });
  await child.exited;
}
