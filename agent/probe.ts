import { Cover, type CoverRow } from "../lib/manifest/cover.ts";
import { parseListingLine } from "../lib/manifest/listing.ts";
import { joinRoot } from "../lib/manifest/root.ts";
import { lsjsonArgv } from "../lib/rclone/argv.ts";
import type { RunConfig } from "../lib/run/config.ts";
import type { Journal } from "../lib/run/journal.ts";
import { startStep } from "../lib/run/step.ts";
import { forEachLine } from "../lib/system/lines.ts";
import { readText } from "../lib/system/process.ts";
import type { ShardRecords } from "./shard-records.ts";

/** Places to list for a shard: at most this many, and one for so many records. */
const rowsMax = 16;
const recordsPerRow = 40;
/** Entries that may be listed in vain: one LIST for 20 records, or this many where that is little. */
const entriesPerRecordMax = 50;
const entriesFree = 20_000;

/** What a probe found about the records of a shard. */
export interface ProbeResult {
  /** Places that the listing proves identical at the destination: same size, same MD5. */
  identical: number[];
  /** Records that may be there: 1 for those found with the same size and no hash to compare. */
  mayBeThere: Uint8Array;
  /** How it went, for the log. */
  summary: string;
}

/** What a probe looks at. */
export interface ProbeOptions {
  config: RunConfig;
  records: ShardRecords;
  journal: Journal;
  /** Whether the destination lists MD5 hashes without reading its objects: S3. */
  hashes: boolean;
  stop: AbortSignal;
}

/**
 * Finds out by listing, never by a request for each object, which unproven records of a shard the destination holds.
 * Where the listing would hold far more than the shard, all of them may be there: the copy then compares.
 */
export async function probeDestination(options: ProbeOptions): Promise<ProbeResult> {
  const { records, journal } = options;
  const unproven = (place: number) => !journal.proofs.get(place);
  const cover = new Cover(Math.min(rowsMax, Math.max(1, Math.floor(records.count / recordsPerRow))));
  await records.eachWhere(unproven, ({ key }) => cover.add(key));
  const found = new Found(records);
  const budget = { entries: Math.max(entriesFree, entriesPerRecordMax * records.count) };
  let listed = 0;
  for (const row of cover.rows()) {
    if (options.stop.aborted) break;
    listed += await listRow(row, options, found, budget);
    if (budget.entries < 0) {
      const mayBeThere = new Uint8Array(records.count).fill(1);
      return {
        identical: [],
        mayBeThere,
        summary: `the destination holds far more than the shard: every object is compared`,
      };
    }
  }
  const identical: number[] = [];
  await records.eachWhere(
    (place) => unproven(place) && found.hasHash(place),
    ({ place, md5: readMd5 }) => {
      const md5 = readMd5();
      if (md5 === undefined) found.mayBeThere[place] = 1;
      else if (found.hashEquals(place, md5)) identical.push(place);
    },
  );
  const compared = found.mayBeThere.reduce((sum, flag) => sum + flag, 0);
  const summary = `the destination was listed (${listed} entries): ${identical.length} identical, ${compared} to compare`;
  return { identical, mayBeThere: found.mayBeThere, summary };
}

/** Lists one place; counts its entries against the budget, and stops when that is spent. */
async function listRow(
  row: CoverRow,
  options: ProbeOptions,
  found: Found,
  budget: { entries: number },
): Promise<number> {
  const { config, records, stop } = options;
  const root = row.prefix === "" ? config.dest_root : joinRoot(config.dest_root, row.prefix);
  const child = startStep(config, {
    argv: ({ configPath }) =>
      lsjsonArgv({
        root,
        configPath,
        recursive: row.recursive,
        fastList: true,
        modtime: "none",
        hash: options.hashes,
        filesOnly: true,
        verbosity: 0,
        extraFlags: [],
      }),
    readOnly: [config.dest_root],
    writable: [],
    env: process.env,
  });
  const end = () => child.signalGroup("SIGKILL");
  stop.addEventListener("abort", end);
  const stderr = readText(child.stderr);
  const decoder = new TextDecoder();
  let entries = 0;
  try {
    await forEachLine(child.stdout, ({ bytes, terminated }) => {
      if (!terminated) return;
      const line = parseListingLine(decoder.decode(bytes));
      if (line.kind !== "entry" || line.entry.IsDir) return;
      entries++;
      if (--budget.entries < 0) return end();
      const key = row.prefix === "" ? line.entry.Path : `${row.prefix}/${line.entry.Path}`;
      const place = records.placeOf(key);
      if (place !== -1) found.note(place, line.entry.Size, line.entry.Hashes?.md5);
    });
    await Promise.all([child.exited, stderr]);
  } finally {
    stop.removeEventListener("abort", end);
    end();
  }
  return entries;
}

/** What the listing said of the shard's records. */
class Found {
  readonly mayBeThere: Uint8Array;
  readonly #records: ShardRecords;
  readonly #hashes: Buffer;
  readonly #hasHash: Uint8Array;

  constructor(records: ShardRecords) {
    this.#records = records;
    this.mayBeThere = new Uint8Array(records.count);
    this.#hasHash = new Uint8Array(records.count);
    this.#hashes = Buffer.alloc(16 * records.count);
  }

  note(place: number, size: number, md5: string | undefined): void {
    if (size !== this.#records.sizeOf(place)) return;
    if (md5 === undefined || !/^[0-9a-f]{32}$/.test(md5)) {
      this.mayBeThere[place] = 1;
      return;
    }
    this.#hasHash[place] = 1;
    this.#hashes.write(md5, 16 * place, "hex");
  }

  hasHash(place: number): boolean {
    return this.#hasHash[place] === 1;
  }

  hashEquals(place: number, md5: string): boolean {
    return this.#hashes.toString("hex", 16 * place, 16 * place + 16) === md5;
  }
}
