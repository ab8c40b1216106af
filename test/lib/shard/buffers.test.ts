import { expect, test } from "bun:test";
import { ShardBuffers } from "../../../lib/shard/buffers.ts";
import { seededRandom } from "../../data/fill.ts";

const MiB = 1024 * 1024;

/** Adds runs of random bytes; `pick` says whose they are. Checks what is handed over. */
function fill(
  numShards: number,
  adds: number,
  lengthMax: number,
  pick: (random: number, i: number) => number,
) {
  const random = seededRandom(numShards);
  const wanted = Array.from({ length: numShards }, () => new Bun.CryptoHasher("sha256"));
  const got = Array.from({ length: numShards }, () => new Bun.CryptoHasher("sha256"));
  const source = Buffer.from(Float64Array.from({ length: lengthMax / 4 }, random).buffer);
  const seen = new Set<Buffer>();
  let pieces = 0;
  const buffers = new ShardBuffers(numShards, (shard, buffer, used) => {
    pieces++;
    seen.add(buffer);
    got[shard]?.update(buffer.subarray(0, used));
    buffers.giveBack(buffer);
  });
  for (let i = 0; i < adds; i++) {
    const shard = pick(random(), i);
    const from = Math.floor(random() * lengthMax);
    const to = from + Math.floor(random() * lengthMax);
    wanted[shard]?.update(source.subarray(from, to));
    buffers.add(shard, source, from, to);
  }
  for (const { shard, buffer, used } of buffers.takeAll()) {
    seen.add(buffer);
    got[shard]?.update(buffer.subarray(0, used));
  }
  const hex = (hashes: Bun.CryptoHasher[]) => hashes.map((hash) => hash.digest("hex"));
  expect(hex(got)).toEqual(hex(wanted));
  return { pieces, bytes: [...seen].reduce((sum, buffer) => sum + buffer.length, 0) };
}

test("what comes out for a shard is what went in, in its order", () => {
  fill(3, 500, 4096, (random) => Math.floor(random * 3));
  fill(300, 40_000, 2048, (random) => Math.floor(random * 300));
  // Runs longer than any buffer, and a shard that has nothing.
  fill(4, 20, 2 * MiB, (random) => Math.floor(random * 3));
});

test("memory does not grow with the shards, and runs of a shard come in large pieces", () => {
  const scattered = fill(5000, 60_000, 2048, (random) => Math.floor(random * 5000));
  expect(scattered.bytes).toBeLessThanOrEqual(64 * MiB);
  const inRuns = fill(1000, 100_000, 2048, (random, i) =>
    random < 0.01 ? Math.floor(random * 1e5) : Math.floor(i / 100),
  );
  expect(inRuns.bytes).toBeLessThanOrEqual(64 * MiB);
  expect(inRuns.pieces).toBeLessThan(3000);
});
