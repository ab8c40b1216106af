import { closeSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Digests } from "../system/digests.ts";
import { writeFully } from "../system/durable.ts";
import { breathe, throwIfStopped } from "../system/interrupt.ts";
import { mapSideBySide } from "../system/side-by-side.ts";
import { writeErrorOf, writing } from "../system/write-error.ts";
import { ShardBuffers } from "./buffers.ts";
import { shardFileName } from "./meta.ts";

/** How many files are fsynced at a time: a network filesystem takes a round trip for each. */
const syncsMax = 16;
/** After this many files have got their names the event loop gets a turn. */
const namesPerTurn = 256;
/** The hint for a user who has stopped a sharding. */
const stopHint = "there are no new shards; run the same command again";

/**
 * Writes the shards of a manifest under temporary names, and has another thread take a digest of each. The buffers do not
 * grow with the number of shards, and at most 16 files are open. Call `finish` and then `publish`, or `abort`.
 */
export class ShardWriter {
  readonly #dir: string;
  readonly #temps: readonly string[];
  /** 1 for a shard whose file was made. */
  readonly #isMade: Uint8Array;
  readonly #buffers: ShardBuffers;
  readonly #digests: Digests;

  constructor(dir: string, numShards: number) {
    this.#dir = dir;
    this.#temps = Array.from({ length: numShards }, (_, shard) =>
      join(dir, `${shardFileName(shard)}.tmp.${process.pid}`),
    );
    this.#isMade = new Uint8Array(numShards);
    this.#digests = new Digests(numShards, (buffer) => this.#buffers.giveBack(buffer));
    this.#buffers = new ShardBuffers(numShards, (shard, buffer, used) => {
      this.#digests.add(shard, buffer, used);
      this.#append(shard, buffer.subarray(0, used));
    });
  }

  /** Adds bytes `from` to `to`, which are whole lines, to a shard. */
  add(shard: number, bytes: Buffer, from: number, to: number): void {
    this.#buffers.add(shard, bytes, from, to);
  }

  /** Lets the digests follow; await it after each batch. */
  drain(): Promise<void> | undefined {
    return this.#digests.drain();
  }

  /** Opens the file for each write, since thousands of shards share the limit of open files. */
  #append(shard: number, data: Buffer): void {
    const temp = this.#temps[shard] as string;
    const fd = writing(temp, () => openSync(temp, this.#flag(shard), 0o666));
    try {
      writeFully(fd, data);
    } finally {
      closeSync(fd);
    }
  }

  /** How a shard's file is opened. A file that is there at first was left by an earlier process with the same pid. */
  #flag(shard: number): "a" | "w" {
    if (this.#isMade[shard] === 1) return "a";
    this.#isMade[shard] = 1;
    return "w";
  }

  /** Makes the temporary files whole and durable, and returns the digest of each shard. Throws when `stop` was aborted. */
  async finish(stop?: AbortSignal): Promise<readonly string[]> {
    const rests = this.#buffers.takeAll();
    for (const { shard, buffer, used } of rests) this.#digests.add(shard, buffer, used);
    const digests = this.#digests.digests();
    await mapSideBySide(rests, syncsMax, async ({ shard, buffer, used }) => {
      if (stop) throwIfStopped(stop, stopHint);
      const flag = this.#flag(shard);
      const temp = this.#temps[shard] as string;
      await writeFile(temp, buffer.subarray(0, used), { flag, flush: true }).catch((error: unknown) => {
        throw writeErrorOf(temp, error);
      });
    });
    const all = await digests;
    this.#digests.end();
    return all;
  }

  /**
   * Gives the shards their names. Removes shards of an earlier set, and temporary files of killed processes. Throws when
   * `stop` was aborted before the last shard has its name.
   */
  async publish(stop?: AbortSignal): Promise<void> {
    const kept = new Set<string>();
    for (const [shard, temp] of this.#temps.entries()) {
      if (shard % namesPerTurn === 0) await breathe(stop, stopHint);
      const name = shardFileName(shard);
      renameSync(temp, join(this.#dir, name));
      kept.add(name);
    }
    for (const name of readdirSync(this.#dir)) {
      if (/^shard_\d+\.jsonl(?:\.tmp\.\d+)?$/.test(name) && !kept.has(name)) rmSync(join(this.#dir, name));
    }
  }

  abort(): void {
    this.#digests.end();
    this.#temps.forEach((temp, shard) => {
      if (this.#isMade[shard] === 1) rmSync(temp, { force: true });
    });
  }
}
