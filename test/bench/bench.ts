import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeSeededListing, writeSeededManifest } from "../data/manifest.ts";
import { binary } from "../stage/harness.ts";
import { benchAgent } from "./agent.ts";
import { listingTable } from "./listing.ts";
import { makespanTable } from "./makespan.ts";
import { type Measured, measure } from "./measure.ts";
import { partsTable } from "./parts.ts";
import { throttlingTable } from "./throttling.ts";

/**
 * `bun run bench [--only PART,PART] [--records N,N] [--repeat N] [--dir DIR]`: what the manifest commands cost beside
 * `cp` of the same file in the same run, their memory, what a build costs beside its listing, --list-parallel beside a
 * serial listing, the agent beside bare rclone, and a store that throttles, and how level an array's end is. It prints; it never fails for being slow.
 */

const parts = ["manifest", "build", "parts", "agent", "throttling", "makespan"] as const;

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
const seed = 1;

/** One measured command; `base` names the row that it is a multiple of. */
interface Row {
  name: string;
  argv: string[];
  base?: string;
  goal?: string;
  /** The peak RSS that it should stay under at ten million records, in bytes. */
  memoryGoal?: number;
  /** What it leaves behind. */
  output?: string;
  /** What it must have printed, for the figure to be of what the row says. */
  says?: string;
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
    memoryGoal: 256 * MB,
    output: join(dir, "shards"),
  });
  const changed = join(dir, "delta.jsonl");
  const delta = (compare: string): Row => ({
    name: `delta, ${compare} equal`,
    argv: xfer("delta", "--in", manifest, "--out", changed, "--compare", compare, "--runtime", "host"),
    base: "cp",
    memoryGoal: GB,
    output: changed,
    says: "0 new, 0 changed",
  });
  const rebased = join(dir, "rebased.jsonl");
  const built = join(dir, "built.jsonl");
  const files = join(dir, "files");
  const roots = ["--source", "src:bucket/set", "--dest", "dst:bucket/set"];
  return [
    { name: "cp", argv: ["cp", manifest, join(dir, "copy")], output: join(dir, "copy") },
    shard(512),
    shard(4096),
    {
      name: "analyze",
      argv: xfer("analyze", "--in", manifest),
      base: "cp",
      goal: "2",
      memoryGoal: 256 * MB,
    },
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
    delta("size"),
    delta("checksum"),
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

/** Recorded listings of the manifest's objects, and a stand-in for rclone that prints them. */
function writeListings(dir: string, records: number): void {
  const listing = join(dir, "listing.json");
  const hashed = join(dir, "hashed.json");
  writeSeededListing(listing, records, { seed, hashes: false });
  writeSeededListing(hashed, records, { seed, hashes: true });
  const standIn = join(dir, "bin", "rclone");
  mkdirSync(join(dir, "bin"));
  writeFileSync(
    standIn,
    `#!/bin/sh\ncase "$*" in *--hash*) exec cat '${hashed}' ;; esac\nexec cat '${listing}'\n`,
  );
  chmodSync(standIn, 0o755);
}

async function benchManifest(records: number): Promise<void> {
  const dir = mkdtempSync(join(values.dir, "xfer-bench-"));
  try {
    const bytes = writeSeededManifest(join(dir, "manifest.jsonl"), records, seed);
    writeListings(dir, records);
    const listed = statSync(join(dir, "listing.json")).size;
    const size = `${(bytes / GB).toFixed(2)} GB, a listing of ${(listed / GB).toFixed(2)} GB`;
    process.stdout.write(
      `\n${records.toLocaleString("en-US")} records: ${size}; ${repeats} runs of each in turn\n`,
    );
    const rows = rowsFor(dir);
    const runs = new Map<string, Measured[]>(rows.map(({ name }) => [name, []]));
    const path = `${join(dir, "bin")}:${process.env.PATH ?? ""}`;
    for (let round = 0; round < repeats; round++) {
      for (const { name, argv, output, says = "" } of rows) {
        // What an earlier run left to be written back is no cost of this one.
        await measure(["sync"], dir);
        const measured = await measure(argv, dir, path);
        if (measured.code !== 0) throw new Error(`${name}: ${measured.stderr}`);
        const said = measured.stdout + measured.stderr;
        if (!said.includes(says)) throw new Error(`${name}: ${said}`);
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
  process.stdout.write(
    line(["", "best", "worst/best", "ns/record", "times base", "goal", "peak RSS", "goal"]),
  );
  for (const { name, base, goal, memoryGoal } of rows) {
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
        memoryGoal ? `< ${memoryGoal / MB} MB` : "",
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
if (wants("build")) process.stdout.write(await listingTable(values.dir, repeats));
if (wants("parts")) await partsTable(values.dir, repeats, (text) => process.stdout.write(text));
if (wants("throttling")) await throttlingTable(values.dir, (text) => process.stdout.write(text));
if (wants("agent")) await benchAgent(values.dir, repeats);
if (wants("makespan")) process.stdout.write(makespanTable());
