import { closeSync, linkSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lsjsonArgv } from "../../lib/rclone/argv.ts";
import { quoteWords } from "../../lib/system/shell-words.ts";
import { binary } from "../stage/harness.ts";
import { type Measured, measure } from "./measure.ts";

const folders = 200;
const filesPerFolder = 1000;
/** ext4 allows 65,000 names of one file. */
const linksMax = 60_000;

/** Makes `folders` x `filesPerFolder` names of a few empty files. */
function makeTree(root: string): void {
  mkdirSync(root);
  let file = "";
  for (let i = 0; i < folders * filesPerFolder; i++) {
    const folder = join(root, `run-${String(Math.floor(i / filesPerFolder)).padStart(3, "0")}`);
    if (i % filesPerFolder === 0) mkdirSync(folder);
    const name = join(folder, `object-${String(i).padStart(8, "0")}.dat`);
    if (i % linksMax === 0) {
      file = name;
      closeSync(openSync(file, "w"));
    } else {
      linkSync(file, name);
    }
  }
}

/**
 * `xfer manifest build` of a local tree beside the `rclone lsjson` that it runs, whose output goes to a file: what the
 * manifest itself costs. The commands alternate, so that both see the same machine.
 */
export async function listingTable(dir: string, repeats: number): Promise<string> {
  const work = mkdtempSync(join(dir, "xfer-bench-tree-"));
  try {
    const tree = join(work, "tree");
    makeTree(tree);
    const built = join(work, "built.jsonl");
    const listed = join(work, "listed.json");
    const list = lsjsonArgv({
      root: tree,
      configPath: undefined,
      recursive: true,
      filesOnly: true,
      fastList: true,
      modtime: "server",
      hash: false,
      verbosity: 0,
      extraFlags: [],
    });
    const rows: { name: string; argv: string[]; runs: Measured[] }[] = [
      {
        name: "rclone lsjson > file",
        argv: ["sh", "-c", `exec ${quoteWords(list)} > ${quoteWords([listed])}`],
        runs: [],
      },
      {
        name: "rclone lsjson > /dev/null",
        argv: ["sh", "-c", `exec ${quoteWords(list)} > /dev/null`],
        runs: [],
      },
      { name: "rclone lsjson | cat", argv: ["sh", "-c", `${quoteWords(list)} | cat > /dev/null`], runs: [] },
      {
        name: "build",
        argv: [
          ...[binary, "manifest", "build", "--runtime", "host"],
          ...["--source", tree, "--dest", "dst:bucket/set", "--out", built],
        ],
        runs: [],
      },
    ];
    // The first round only fills the kernel's caches.
    for (let round = -1; round < repeats; round++) {
      for (const { name, argv, runs } of rows) {
        await measure(["sync"], work);
        const measured = await measure(argv, work);
        if (measured.code !== 0) throw new Error(`${name}: ${measured.stderr}`);
        if (round >= 0) runs.push(measured);
        for (const left of [listed, built, `${built}.progress`]) rmSync(left, { force: true });
      }
    }
    return tableOf(rows);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function tableOf(rows: readonly { name: string; runs: readonly Measured[] }[]): string {
  const seconds = (runs: readonly Measured[]) => runs.map((run) => run.seconds).sort((a, b) => a - b);
  const bare = seconds(rows[0]?.runs ?? [])[0] ?? Number.NaN;
  let text = `\nbuild of a local tree of ${(folders * filesPerFolder).toLocaleString("en-US")} files, ${rows[0]?.runs.length ?? 0} runs of each in turn\n`;
  const line = (cells: string[]) =>
    `${cells.map((cell, i) => (i === 0 ? cell.padEnd(30) : cell.padStart(14))).join("")}\n`;
  text += line(["", "best", "worst/best", "times a file", "CPU", "goal"]);
  for (const { name, runs } of rows) {
    const sorted = seconds(runs);
    const [best = Number.NaN, worst = Number.NaN] = [sorted[0], sorted.at(-1)];
    text += line([
      name,
      `${best.toFixed(2)} s`,
      (worst / best).toFixed(2),
      (best / bare).toFixed(2),
      `${Math.min(...runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2)} s`,
      name === "build" ? "<= 1.15" : "",
    ]);
  }
  return text;
}
