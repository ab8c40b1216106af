import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom } from "../data/fill.ts";
import { paretoSize, writeSeededManifest } from "../data/manifest.ts";
import { binary } from "../e2e/harness.ts";
import { benchAgent } from "./agent.ts";
import { makespanTable } from "./makespan.ts";
import { type Measured, measure } from "./measure.ts";

/**
 * `bun run bench [--only PART,PART] [--records N,N] [--repeat N] [--dir DIR]`: what the manifest commands cost beside
 * `cp` of the same file in the same run, their memory, what the agent costs beside bare rclone, and how level an array's
 * end is. It prints; it never fails for being slow.
 */

const parts = ["manifest", "agent", "makespan"] as const;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: parts.join(",") },
    records: { type: "string", default: "1000000,10000000" },
    repeat: { type: "string", default: "3" },
    dir: { type: "string", default: tmpdir() },
  },
});
const repeats = Math.max(1, Number(values.repeat));
const MB = 1e6;
const GB = 1e9;

/** One measured command; `base` names the row that it is a multiple of. */
interface Row {
  name: string;
  argv: string[];
  base?: string;
  goal?: string;
  /** What it leaves behind. */
  output?: string;
}

/** The commands that are measured on one manifest, and what their goals are. */
function rowsFor(dir: string): Row[] {
  const manifest = join(dir, "manifest.jsonl");
  const xfer = (...args: string[]) => [binary, "manifest", ...args];
  const shard = (count: number): Row => ({
    name: `shard into ${count}`,
    argv: xfer("shard", "--in", manifest, "--outdir", join(dir, "shards"), "--num-shards", String(count)),
    base: "cp",
    goal: "4",
    output: join(dir, "shards"),
  });
  const rebased = join(dir, "rebased.jsonl");
  const built = join(dir, "built.jsonl");
  const files = join(dir, "files");
  const roots = ["--source", "src:bucket/set", "--dest", "dst:bucket/set"];
  return [
    { name: "cp", argv: ["cp", manifest, join(dir, "copy")], output: join(dir, "copy") },
    shard(512),
    shard(4096),
    { name: "analyze", argv: xfer("analyze", "--in", manifest), base: "cp", goal: "2" },
    {
      name: "rebase",
      argv: xfer(
        "rebase",
        "--in",
        manifest,
        "--out",
        rebased,
        "--source-root",
        "other:b/x",
        "--dest-root",
        "/data/x",
      ),
      base: "cp",
      goal: "5",
      output: rebased,
    },
    {
      name: "make 4096 files",
      argv: ["sh", "-c", `mkdir '${files}' && cd '${files}' && seq 4096 | xargs touch`],
      output: files,
    },
    // A row for each further command on a manifest goes here.
    { name: "cat listing | cat", argv: ["sh", "-c", `cat '${join(dir, "listing.json")}' | cat > /dev/null`] },
    {
      name: "build from the listing",
      argv: xfer("build", "--runtime", "host", ...roots, "--out", built),
      base: "cat listing | cat",
      output: built,
    },
  ];
}

/** A recorded listing, and a stand-in for rclone that prints it. */
function writeListing(dir: string, records: number): void {
  const random = seededRandom(2);
  const fd = openSync(join(dir, "listing.json"), "w");
  let text = "[\n";
  for (let i = 0; i < records; i++) {
    const key = `set-${Math.floor(i / 50_000)}/run-${Math.floor(i / 800)}/object-${String(i).padStart(8, "0")}.dat`;
    const name = key.slice(key.lastIndexOf("/") + 1);
    text += `{"Path":"${key}","Name":"${name}","Size":${paretoSize(random)},"ModTime":"2026-01-01T00:00:00.000000000Z","IsDir":false}`;
    text += i === records - 1 ? "\n]\n" : ",\n";
    if (text.length > MB) {
      writeSync(fd, text);
      text = "";
    }
  }
  writeSync(fd, text);
  closeSync(fd);
  const standIn = join(dir, "bin", "rclone");
  mkdirSync(join(dir, "bin"));
  writeFileSync(standIn, `#!/bin/sh\nexec cat '${join(dir, "listing.json")}'\n`);
  chmodSync(standIn, 0o755);
}

async function benchManifest(records: number): Promise<void> {
  const dir = mkdtempSync(join(values.dir, "xfer-bench-"));
  try {
    const bytes = writeSeededManifest(join(dir, "manifest.jsonl"), records, 1);
    writeListing(dir, records);
    const listed = statSync(join(dir, "listing.json")).size;
    const size = `${(bytes / GB).toFixed(2)} GB, a listing of ${(listed / GB).toFixed(2)} GB`;
    process.stdout.write(
      `\n${records.toLocaleString("en-US")} records: ${size}; ${repeats} runs of each in turn\n`,
    );
    const rows = rowsFor(dir);
    const runs = new Map<string, Measured[]>(rows.map(({ name }) => [name, []]));
    const path = `${join(dir, "bin")}:${process.env.PATH ?? ""}`;
    for (let round = 0; round < repeats; round++) {
      for (const { name, argv, output } of rows) {
        // What an earlier run left to be written back is no cost of this one.
        await measure(["sync"], dir);
        const measured = await measure(argv, dir, path);
        if (measured.code !== 0) throw new Error(`${name}: ${measured.stderr}`);
        runs.get(name)?.push(measured);
        if (output) rmSync(output, { recursive: true });
        rmSync(join(dir, "built.jsonl.progress"), { force: true });
      }
    }
    printRows(rows, runs, records);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function printRows(rows: readonly Row[], runs: ReadonlyMap<string, Measured[]>, records: number): void {
  const best = (name: string) => Math.min(...(runs.get(name) ?? []).map(({ seconds }) => seconds));
  const line = (cells: string[]) =>
    `${(cells[0] ?? "").padEnd(24)}${cells
      .slice(1)
      .map((cell) => cell.padStart(12))
      .join("")}\n`;
  process.stdout.write(line(["", "best", "worst/best", "ns/record", "times base", "goal", "peak RSS"]));
  for (const { name, base, goal } of rows) {
    const measured = runs.get(name) ?? [];
    const seconds = best(name);
    const worst = Math.max(...measured.map((run) => run.seconds));
    const peak = Math.max(...measured.map((run) => run.peakBytes));
    process.stdout.write(
      line([
        name,
        `${seconds.toFixed(2)} s`,
        (worst / seconds).toFixed(2),
        ((seconds * 1e9) / records).toFixed(0),
        base ? (seconds / best(base)).toFixed(2) : "",
        goal ? `<= ${goal}` : "",
        `${(peak / MB).toFixed(0)} MB`,
      ]),
    );
  }
}

process.stdout.write(`${cpus().length} CPUs, ${cpus()[0]?.model ?? "unknown"}, in ${values.dir}\n`);
const asked = values.only.split(",");
const unknown = asked.find((word) => !parts.some((part) => part === word));
if (unknown !== undefined) throw new Error(`--only: must be of ${parts.join(", ")}, not "${unknown}"`);
const wants = (part: (typeof parts)[number]) => asked.includes(part);
if (wants("manifest")) {
  for (const records of values.records.split(",").map(Number)) await benchManifest(records);
}
if (wants("agent")) await benchAgent(values.dir, repeats);
if (wants("makespan")) process.stdout.write(makespanTable());
