import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quoteWords } from "../../lib/system/shell-words.ts";
import { S3Endpoint } from "../s3/endpoint.ts";
import { binary } from "../stage/harness.ts";
import { type Measured, measure } from "./measure.ts";

/** Data sets: what a listing in parts gains depends on how the objects lie. */
const shapes: { name: string; keyOf: (index: number) => string }[] = [
  { name: "50 prefixes of 2,000", keyOf: (i) => `run-${i % 50}/o-${i}` },
  { name: "5 prefixes of 20,000", keyOf: (i) => `run-${i % 5}/o-${i}` },
  { name: "2,000 prefixes of 50", keyOf: (i) => `run-${i % 2_000}/o-${i}` },
  { name: "no prefix", keyOf: (i) => `o-${i}` },
  {
    name: "90 % in one of 21",
    keyOf: (i) => (i % 10 === 0 ? `run-${(i / 10) % 20}/o-${i}` : `big/s-${i % 40}/o-${i}`),
  },
  {
    name: "five levels of 4",
    keyOf: (i) => `${[1, 4, 16, 64, 256].map((n) => `d${Math.floor(i / n) % 4}`).join("/")}/o-${i}`,
  },
];
const objects = 100_000;
const listers = 8;
/** With small pages rclone does little but wait, as it does at a far store with many objects. */
const stores = [
  { name: "0 ms", delayMs: 0, pageObjects: 1_000, runs: 1 },
  { name: "50 ms", delayMs: 50, pageObjects: 1_000, runs: 1 },
  { name: "50 ms, pages of 100", delayMs: 50, pageObjects: 100, runs: 0.34 },
];
type Store = (typeof stores)[number];

interface Run extends Measured {
  requests: number;
  starts: number;
}

/** Medians of times and CPU, requests and starts of `xfer manifest build`, serially and with --list-parallel, in turns. */
export async function partsTable(dir: string, repeats: number, print: (text: string) => void): Promise<void> {
  const row = (cells: string[]) =>
    print(`${cells.map((cell, i) => (i < 2 ? cell.padEnd(21) : cell.padStart(15))).join("")}\n`);
  print(
    `\nlisting ${objects.toLocaleString("en-US")} objects of S3, serially : with --list-parallel ${listers}; medians of ` +
      `${repeats} (worst/best)\n`,
  );
  row(["", "", "serial", "parallel", "times faster", "CPU s", "requests", "starts"]);
  for (const shape of shapes) {
    for (const store of stores) row([shape.name, store.name, ...(await compare(dir, shape, store, repeats))]);
  }
}

/** A bucket of a shape, an rclone that notes its starts, and both builds in turn. */
async function compare(
  dir: string,
  { keyOf }: (typeof shapes)[number],
  store: Store,
  repeats: number,
): Promise<string[]> {
  const work = mkdtempSync(join(dir, "xfer-bench-parts-"));
  await using endpoint = await S3Endpoint.start({ directory: join(work, "s3"), buckets: ["data"] });
  try {
    for (let i = 0; i < objects; i++) endpoint.put("data", keyOf(i), "");
    if (store.delayMs > 0) endpoint.inject({ kinds: ["LIST"], action: { delayMs: store.delayMs } });
    writeFileSync(join(work, "rclone.conf"), endpoint.rcloneSection("src"), { mode: 0o600 });
    const starts = join(work, "starts");
    const path = join(work, "bin", "rclone");
    mkdirSync(join(work, "bin"));
    writeFileSync(
      path,
      `#!/bin/sh\necho >> ${quoteWords([starts])}\nexec ${quoteWords([Bun.which("rclone") ?? "rclone"])} "$@"\n`,
    );
    chmodSync(path, 0o755);
    const build = async (n: number): Promise<Run> => {
      endpoint.resetCounts();
      writeFileSync(starts, "");
      const measured = await measure(
        [
          ...[binary, "manifest", "build", "--runtime", "host", "--rclone-config", "rclone.conf"],
          ...["--source", "src:data", "--dest", "dst:bucket/set", "--out", "built.jsonl"],
          ...["--list-parallel", String(n), "--extra-lsjson-flags", `--s3-list-chunk ${store.pageObjects}`],
        ],
        work,
        `${join(work, "bin")}:${process.env.PATH ?? ""}`,
      );
      if (measured.code !== 0) throw new Error(measured.stderr);
      rmSync(join(work, "built.jsonl"));
      return {
        ...measured,
        requests: endpoint.counts.total,
        starts: readFileSync(starts, "utf8").length,
      };
    };
    const serial: Run[] = [];
    const parallel: Run[] = [];
    for (let round = 0; round < Math.max(1, Math.round(repeats * store.runs)); round++) {
      serial.push(await build(1));
      parallel.push(await build(listers));
    }
    return cellsOf(serial, parallel);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function cellsOf(serial: readonly Run[], parallel: readonly Run[]): string[] {
  const sorted = (runs: readonly Run[], what: (run: Run) => number) => runs.map(what).sort((a, b) => a - b);
  const median = (runs: readonly Run[], what: (run: Run) => number) =>
    sorted(runs, what)[Math.floor(runs.length / 2)] ?? Number.NaN;
  const time = (runs: readonly Run[]) => {
    const all = sorted(runs, ({ seconds }) => seconds);
    const noise = ((all.at(-1) ?? 0) / (all[0] ?? 1)).toFixed(2);
    return `${median(runs, ({ seconds }) => seconds).toFixed(2)} s (${noise})`;
  };
  const pair = (what: (run: Run) => number, digits: number) =>
    [serial, parallel].map((runs) => median(runs, what).toFixed(digits)).join(" : ");
  const faster = median(serial, ({ seconds }) => seconds) / median(parallel, ({ seconds }) => seconds);
  return [
    ...[time(serial), time(parallel), faster.toFixed(2)],
    ...[pair(({ cpuSeconds }) => cpuSeconds, 2), pair(({ requests }) => requests, 0)],
    pair(({ starts }) => starts, 0),
  ];
}
