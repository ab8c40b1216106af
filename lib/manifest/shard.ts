import { createHash, type Hash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { removeIfAny, syncDirectory, writeFileDurable, writeFully } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { forEachRecord } from "./read.ts";
import type { ManifestRecord } from "./record.ts";
import { type ManifestTotals, shardAssigner } from "./shard-plan.ts";
import { type ShardEntry, type ShardStrategy, type ShardsMeta, shardFileName } from "./shards-meta.ts";

/** Bytes gathered for one shard before they are written. */
const shardBufferBytes = 64 * 1024;

/** What sharding is asked to do. */
export interface ShardOptions {
  manifestPath: string;
  outdir: string;
  numShards: number;
  strategy: ShardStrategy;
  now: Date;
}

/**
 * Cuts a manifest into shards, whose lines are the manifest's lines byte for byte, and writes shards.meta.json last.
 * Reads the manifest twice: the first pass checks every line before anything is written.
 * Throws invalid input, naming file and line, for a bad record; shards that were there before are then untouched.
 */
export async function shardManifest(options: ShardOptions): Promise<ShardsMeta> {
  const { manifestPath, outdir, numShards, strategy } = options;
  const totals: ManifestTotals = { records: 0, bytes: 0 };
  let first: ManifestRecord | undefined;
  await forEachRecord(manifestPath, (record, line) => {
    first ??= record;
    if (record.source_root !== first.source_root || record.dest_root !== first.dest_root) {
      throw invalidInput(
        `${manifestPath}:${line.number}: the record has other roots than line 1: one manifest is one transfer`,
      );
    }
    totals.records++;
    totals.bytes += record.size;
  });
  if (!first) {
    throw invalidInput(`${manifestPath}: the manifest is empty: there is nothing to shard`);
  }
  const assign = shardAssigner(strategy, numShards, totals);
  mkdirSync(outdir, { recursive: true });
  const writers = Array.from({ length: numShards }, (_, shard) => new ShardWriter(outdir, shard));
  try {
    await forEachRecord(manifestPath, (record, line) =>
      writers[assign(record)]?.add(line.bytes, record.size),
    );
    for (const writer of writers) writer.finish();
  } catch (error) {
    for (const writer of writers) writer.abort();
    throw error;
  }
  // From here on the old set is gone: without its meta file no reader takes a mixture for a whole.
  const metaPath = join(outdir, "shards.meta.json");
  if (removeIfAny(metaPath)) syncDirectory(outdir);
  const kept = new Set(writers.map((writer) => writer.publish()));
  for (const name of readdirSync(outdir)) {
    if (/^shard_\d+\.jsonl$/.test(name) && !kept.has(name)) rmSync(join(outdir, name));
  }
  const meta: ShardsMeta = {
    schema: "xfer.shards.v1",
    // Relative to the directory that holds the shards' folder: a run directory can then be moved.
    input: relative(dirname(resolve(outdir)), resolve(manifestPath)),
    outdir: basename(resolve(outdir)),
    num_shards: numShards,
    strategy,
    num_records: totals.records,
    bytes_total: totals.bytes,
    created_at: options.now.toISOString(),
    shards: writers.map((writer) => writer.entry()),
  };
  writeFileDurable(metaPath, `${JSON.stringify(meta, null, 1)}\n`);
  return meta;
}

const newline = new Uint8Array([0x0a]);

/** Writes one shard under a temporary name. The file is opened for each flush: thousands of shards share the limit. */
class ShardWriter {
  readonly #shard: number;
  readonly #dir: string;
  readonly #temp: string;
  readonly #hash: Hash = createHash("sha256");
  #parts: Uint8Array[] = [];
  #buffered = 0;
  #started = false;
  #records = 0;
  #bytes = 0;
  #largest = 0;
  #sha256 = "";

  constructor(dir: string, shard: number) {
    this.#shard = shard;
    this.#dir = dir;
    this.#temp = join(dir, `${shardFileName(shard)}.tmp.${process.pid}`);
  }

  add(line: Uint8Array, size: number): void {
    this.#parts.push(line.slice(), newline);
    this.#buffered += line.length + 1;
    this.#records++;
    this.#bytes += size;
    this.#largest = Math.max(this.#largest, size);
    if (this.#buffered >= shardBufferBytes) this.#flush(false);
  }

  #flush(last: boolean): void {
    const data = Buffer.concat(this.#parts);
    this.#hash.update(data);
    const fd = openSync(this.#temp, this.#started ? "a" : "w", 0o666);
    this.#started = true;
    try {
      writeFully(fd, data);
      if (last) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    this.#parts = [];
    this.#buffered = 0;
  }

  finish(): void {
    this.#flush(true);
    this.#sha256 = this.#hash.digest("hex");
  }

  publish(): string {
    const name = shardFileName(this.#shard);
    renameSync(this.#temp, join(this.#dir, name));
    return name;
  }

  abort(): void {
    rmSync(this.#temp, { force: true });
  }

  entry(): ShardEntry {
    return {
      shard: this.#shard,
      file: shardFileName(this.#shard),
      records: this.#records,
      bytes: this.#bytes,
      largest_bytes: this.#largest,
      sha256: this.#sha256,
    };
  }
}
