import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quoteWords } from "../../lib/system/shell-words.ts";
import { binary } from "../e2e/harness.ts";
import { S3Endpoint } from "../s3/endpoint.ts";
import { type Measured, measure } from "./measure.ts";

/** A data set of 100,000 objects: what a listing in parts gains depends on how they lie. */
const shapes: { name: string; keyOf: (index: number) => string }[] = [
  { name: "50 dirs x 2,000", keyOf: (i) => `run-${i % 50}/o-${i}` },
  { name: "5 dirs x 20,000", keyOf: (i) => `run-${i % 5}/o-${i}` },
  { name: "2,000 dirs x 50", keyOf: (i) => `run-${i % 2_000}/o-${i}` },
  { name: "1 dir x 100,000", keyOf: (i) => `o-${i}` },
  {
    name: "90 % in one of 21 dirs",
    keyOf: (i) => (i % 10 ? `big/s-${i % 40}/o-${i}` : `run-${(i / 10) % 20}/o-${i}`),
  },
  {
    name: "deep: 4 x 4 x 4 x 4 x 4",
    keyOf: (i) => `${[1, 4, 16, 64, 256].map((n) => `d${Math.floor(i / n) % 4}`).join("/")}/o-${i}`,
  },
];
const objects = Number(process.env.OBJ ?? 100_000);
const extra = process.env.EXTRA ? ["--extra-lsjson-flags", process.env.EXTRA] : [];
const delays = (process.env.DELAYS ?? "0,50").split(",").map(Number);
const listers = 8;

interface Run extends Measured {
  requests: number;
  starts: number;
}

/**
 * `xfer manifest build` serially and with --list-parallel, at an endpoint that answers at once and at one that takes its
 * time, by turns: time, CPU, requests and starts of rclone.
 */
export async function partsTable(dir: string, repeats: number, only?: string): Promise<string> {
  let text = `\nlisting ${objects.toLocaleString("en-US")} objects of S3, serially and with --list-parallel ${listers}: medians of ${repeats} (worst/best)\n`;
  const line = (cells: string[]) =>
    `${cells.map((cell, i) => (i === 0 ? cell.padEnd(26) : cell.padStart(i === 1 ? 7 : 16))).join("")}\n`;
  text += line(["", "delay", "serial", "parallel", "times faster", "CPU", "requests", "starts"]);
  for (const shape of shapes) {
    if (only !== undefined && !shape.name.includes(only)) continue;
    for (const delayMs of delays) text += line(await compare(dir, shape, delayMs, repeats));
  }
  return text;
}

async function compare(
  dir: string,
  shape: (typeof shapes)[number],
  delayMs: number,
  repeats: number,
): Promise<string[]> {
  const work = mkdtempSync(join(dir, "xfer-bench-parts-"));
  await using endpoint = await S3Endpoint.start({ directory: join(work, "s3"), buckets: ["data"] });
  try {
    for (let i = 0; i < objects; i++) endpoint.put("data", shape.keyOf(i), "");
    if (delayMs > 0) endpoint.inject({ kinds: ["LIST"], action: { delayMs } });
    const conf = join(work, "rclone.conf");
    writeFileSync(conf, endpoint.rcloneSection("src"), { mode: 0o600 });
    const startsFile = join(work, "starts");
    mkdirSync(join(work, "bin"));
    const path = join(work, "bin", "rclone");
    const rclone = Bun.which("rclone") ?? "rclone";
    writeFileSync(
      path,
      `#!/bin/sh\necho >> ${quoteWords([startsFile])}\nexec ${quoteWords([rclone])} "$@"\n`,
    );
    chmodSync(path, 0o755);
    const serial: Run[] = [];
    const parallel: Run[] = [];
    for (let round = 0; round < repeats; round++) {
      for (const [runs, n] of [
        [serial, 1],
        [parallel, listers],
      ] as const) {
        endpoint.resetCounts();
        writeFileSync(startsFile, "");
        const out = join(work, "manifest.jsonl");
        const measured = await measure(
          [
            ...[binary, "manifest", "build", "--runtime", "host", "--rclone-config", conf],
            ...[
              "--source",
              "src:data",
              "--dest",
              "dst:bucket/set",
              "--out",
              out,
              "--list-parallel",
              String(n),
              ...extra,
            ],
          ],
          work,
          `${join(work, "bin")}:${process.env.PATH ?? ""}`,
        );
        if (measured.code !== 0) throw new Error(measured.stderr);
        const starts = readFileSync(startsFile, "utf8").length;
        runs.push({ ...measured, requests: endpoint.counts.total, starts });
        rmSync(out);
      }
    }
    const of = (runs: readonly Run[], what: (run: Run) => number) => runs.map(what).sort((a, b) => a - b);
    const median = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    const [a, b] = [serial, parallel].map((runs) => of(runs, ({ seconds }) => seconds)) as [
      number[],
      number[],
    ];
    const noise = (sorted: readonly number[]) => ((sorted.at(-1) ?? 0) / (sorted[0] ?? 1)).toFixed(2);
    const pair = (what: (run: Run) => number, digits: number) =>
      [serial, parallel].map((runs) => median(of(runs, what)).toFixed(digits)).join(" : ");
    return [
      shape.name,
      `${delayMs} ms`,
      `${median(a).toFixed(2)} s (${noise(a)})`,
      `${median(b).toFixed(2)} s (${noise(b)})`,
      (median(a) / median(b)).toFixed(2),
      pair(({ cpuSeconds }) => cpuSeconds, 2),
      pair(({ requests }) => requests, 0),
      pair(({ starts }) => starts, 0),
    ];
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
