import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { appendFile, open as openAsync } from "node:fs/promises";
import { join } from "node:path";
import { writeFully } from "../system/durable.ts";
import { shardFileName } from "./shards-meta.ts";

/** What all shards together may hold before it is written. */
const buffersBytesMax = 64 * 1024 * 1024;
const bufferBytesMin = 4 * 1024;
const bufferBytesMax = 256 * 1024;
/** Files that are fsynced at a time: a network filesystem takes a round trip for each. */
const syncsMax = 16;

/**
 * Writes the shards of a manifest under temporary names, with a digest of each. Buffers are at most 64 MiB in all (4 KiB
 * a shard from 16,384 shards on), and at most 16 files are open, however many shards there are.
 * Call `finish` and then `publish`, or `abort`.
 */
export class ShardWriter {
  readonly #dir: string;
  readonly #bufferBytes: number;
  readonly #shards: OpenShard[];
  /** Files are made in the background, while the first lines are read: filesystems take up to a millisecond for each. */
  readonly #made: Promise<PromiseSettledResult<void>[]>;

  constructor(dir: string, numShards: number) {
    this.#dir = dir;
    const share = Math.floor(buffersBytesMax / numShards);
    this.#bufferBytes = Math.min(bufferBytesMax, Math.max(bufferBytesMin, share));
    this.#shards = Array.from({ length: numShards }, (_, shard) => ({
      temp: join(dir, `${shardFileName(shard)}.tmp.${process.pid}`),
      hash: createHash("sha256"),
      buffer: undefined,
      used: 0,
    }));
    // Of an earlier process of the same number: nothing may be appended to them.
    for (const { temp } of this.#shards) rmSync(temp, { force: true });
    this.#made = Promise.allSettled(this.#shards.map(({ temp }) => appendFile(temp, "")));
  }

  /** Adds bytes `from` to `to`, which are whole lines, to a shard. */
  add(shard: number, bytes: Buffer, from: number, to: number): void {
    const target = this.#shards[shard] as OpenShard;
    const length = to - from;
    if (target.used + length > this.#bufferBytes) flush(target);
    if (length >= this.#bufferBytes) {
      append(target, bytes.subarray(from, to));
      return;
    }
    target.buffer ??= Buffer.allocUnsafeSlow(this.#bufferBytes);
    bytes.copy(target.buffer, target.used, from, to);
    target.used += length;
  }

  /** Makes the temporary files whole and durable, and returns the digest of each shard. */
  async finish(): Promise<string[]> {
    for (const shard of this.#shards) {
      flush(shard);
      shard.buffer = undefined;
    }
    await this.#made;
    const waiting = this.#shards.values();
    const syncSome = async () => {
      for (const { temp } of waiting) {
        await using file = await openAsync(temp, "r+");
        await file.sync();
      }
    };
    await Promise.all(Array.from({ length: syncsMax }, syncSome));
    return this.#shards.map(({ hash }) => hash.digest("hex"));
  }

  /** Gives the shards their names, and removes shards of an earlier set. */
  publish(): void {
    const kept = new Set<string>();
    this.#shards.forEach(({ temp }, shard) => {
      const name = shardFileName(shard);
      renameSync(temp, join(this.#dir, name));
      kept.add(name);
    });
    for (const name of readdirSync(this.#dir)) {
      if (/^shard_\d+\.jsonl$/.test(name) && !kept.has(name)) rmSync(join(this.#dir, name));
    }
  }

  async abort(): Promise<void> {
    await this.#made;
    for (const { temp } of this.#shards) rmSync(temp, { force: true });
  }
}

interface OpenShard {
  temp: string;
  hash: Hash;
  buffer: Buffer | undefined;
  used: number;
}

function flush(shard: OpenShard): void {
  const { buffer, used } = shard;
  if (buffer && used > 0) append(shard, buffer.subarray(0, used));
  shard.used = 0;
}

/** The file is opened for each write: thousands of shards share the limit of open files. */
function append(shard: OpenShard, data: Uint8Array): void {
  shard.hash.update(data);
  const fd = openSync(shard.temp, "a", 0o666);
  try {
    writeFully(fd, data);
  } finally {
    closeSync(fd);
  }
}
