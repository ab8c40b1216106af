import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shardManifest } from "../../../lib/shard/cut.ts";
import { type ShardStrategy, shardStrategies } from "../../../lib/shard/meta.ts";
import { seededRandom } from "../../data/fill.ts";
import { hostileManifest } from "../../data/hostile-names.ts";
import { recordLine } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

async function shardInto(dir: string, manifest: string, numShards: number, strategy: ShardStrategy) {
  const outdir = join(dir, "shards");
  const meta = await shardManifest({ manifestPath: manifest, outdir, numShards, strategy, now: new Date(0) });
  return { meta, texts: meta.shards.map(({ file }) => readFileSync(join(outdir, file ?? ""))), outdir };
}

/** Lines that no writer of ours would make in the same way: what is kept is bytes, not values. */
function oddManifest(records: number, random: () => number): string {
  let text = "";
  for (let i = 0; i < records; i++) {
    const size = random() < 0.1 ? Math.floor(random() * 1e9) : Math.floor(random() * 1e4);
    const space = i % 3 === 0 ? " " : "";
    text +=
      `{"schema":${space}"xfer.manifest.v1","run_id":"r","source_root":"a:b","dest_root":"c:d","source":"a:b/k${i}",` +
      `"dest":"c:d/k${i}","path":"k${i}\\u00e9\\/","size":${size},"mtime":null,"hashes":{},"etag":null,` +
      `"storage_class":null,"meta":{},"extra":[${i}]}\n`;
  }
  return text;
}

describe("shards hold exactly the manifest's lines, byte for byte", () => {
  for (const strategy of shardStrategies) {
    for (const [records, numShards] of [
      [1, 1],
      [8, 8],
      [1000, 7],
      [5000, 512],
    ] as const) {
      test(`${strategy}: ${records} records in ${numShards} shards`, async () => {
        using dir = temporaryDirectory();
        const manifest = join(dir.path, "m.jsonl");
        const text = oddManifest(records, seededRandom(records + numShards));
        writeFileSync(manifest, text);
        const { meta, texts } = await shardInto(dir.path, manifest, numShards, strategy);
        const lines = texts.flatMap((one) => one.toString("utf8").split("\n").slice(0, -1));
        expect(lines.sort()).toEqual(text.split("\n").slice(0, -1).sort());
        // Whatever the strategy, a shard's lines are in the manifest's order; by count, shards are runs of it.
        const place = new Map(text.split("\n").map((line, i) => [line, i]));
        for (const one of texts) {
          const places = one
            .toString("utf8")
            .split("\n")
            .slice(0, -1)
            .map((line) => place.get(line) ?? -1);
          expect(places).toEqual([...places].sort((a, b) => a - b));
        }
        if (strategy === "count") expect(Buffer.concat(texts).toString("utf8")).toBe(text);
        expect(meta).toMatchObject({
          schema: "xfer.shards.v1",
          num_shards: numShards,
          num_records: records,
          strategy,
        });
        texts.forEach((one, shard) => {
          const digest = new Bun.CryptoHasher("sha256").update(one).digest("hex");
          expect(meta.shards[shard]?.sha256).toBe(digest);
        });
        const again = await shardInto(dir.path, manifest, numShards, strategy);
        expect(again.meta).toEqual(meta);
      });
    }
  }
});

test("counts are level to one record; by bytes, weights are level to a hundredth", async () => {
  using dir = temporaryDirectory();
  const manifest = join(dir.path, "m.jsonl");
  writeFileSync(manifest, oddManifest(10_000, seededRandom(5)));
  const count = await shardInto(dir.path, manifest, 30, "count");
  const counts = count.meta.shards.map(({ records }) => records);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  expect(count.meta.spread?.records).toBeLessThan(1.01);
  const bytes = await shardInto(dir.path, manifest, 30, "bytes");
  expect(bytes.meta.spread?.weight).toBeLessThanOrEqual(1.01);
  const mean = bytes.meta.bytes_total / 30 + (10_000 / 30) * 1024 * 1024;
  for (const { weight } of bytes.meta.shards) expect(weight ?? 0).toBeLessThanOrEqual(1.01 * mean);
});

test("shards.meta.json says what each shard holds", async () => {
  using dir = temporaryDirectory();
  const manifest = join(dir.path, "m.jsonl");
  const random = seededRandom(8);
  const paths = Array.from(
    { length: 3000 },
    (_, i) => `d${Math.floor(random() * 40)}/${i % 5 === 0 ? "e/" : ""}k${i}`,
  );
  writeFileSync(
    manifest,
    paths.map((path) => recordLine({ path, size: Math.floor(random() * 1e6) })).join(""),
  );
  const { meta, texts } = await shardInto(dir.path, manifest, 9, "bytes");
  texts.forEach((one, shard) => {
    const records = one
      .toString("utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const sizes = records.map(({ size }) => size);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(meta.shards[shard]).toMatchObject({
      shard,
      records: records.length,
      bytes,
      weight: bytes + records.length * 1024 * 1024,
      largest_bytes: Math.max(...sizes),
      directories: new Set(records.map(({ path }) => path.slice(0, path.lastIndexOf("/")))).size,
    });
  });
});

test("--max-objects caps every shard, and says how many shards it takes", async () => {
  using dir = temporaryDirectory();
  const manifest = join(dir.path, "m.jsonl");
  const outdir = join(dir.path, "shards");
  writeFileSync(manifest, oddManifest(1000, seededRandom(9)));
  const shard = (numShards: number, strategy: ShardStrategy, maxObjects: number) =>
    shardManifest({ manifestPath: manifest, outdir, numShards, strategy, maxObjects, now: new Date(0) });
  for (const strategy of ["bytes", "count"] as const) {
    const meta = await shard(10, strategy, 100);
    expect(meta.shards.map(({ records }) => records)).toEqual(Array.from({ length: 10 }, () => 100));
  }
  expect(shard(10, "bytes", 99)).rejects.toThrow("1,000 records need at least 11 shards, not 10");
  expect(shard(10, "hash", 100)).rejects.toThrow(/by their hashes \d+ keys fall into one of 10 shards/);
});

test("a manifest that another writer made, with escaped names, is taken as it is", async () => {
  using dir = temporaryDirectory();
  const { texts, meta } = await shardInto(dir.path, hostileManifest, 4, "bytes");
  const lines = (text: string) => text.trimEnd().split("\n").sort();
  expect(lines(Buffer.concat(texts).toString("utf8"))).toEqual(lines(readFileSync(hostileManifest, "utf8")));
  expect(meta.input).not.toStartWith("/");
  expect(meta.outdir).toBe("shards");
});

test("sharding again with fewer shards leaves no old shard behind; a bad line leaves everything as it was", async () => {
  using dir = temporaryDirectory();
  const { outdir } = await shardInto(dir.path, hostileManifest, 6, "bytes");
  await shardInto(dir.path, hostileManifest, 2, "bytes");
  const names = ["shard_000000.jsonl", "shard_000001.jsonl", "shards.meta.json"];
  expect(readdirSync(outdir).sort()).toEqual(names);
  const before = readFileSync(join(outdir, "shards.meta.json"), "utf8");
  const bad = join(dir.path, "bad.jsonl");
  writeFileSync(bad, `${readFileSync(hostileManifest, "utf8")}{"schema":\n`);
  expect(shardInto(dir.path, bad, 3, "count")).rejects.toThrow(/bad\.jsonl:25: not a manifest record/);
  expect(readdirSync(outdir).sort()).toEqual(names);
  expect(readFileSync(join(outdir, "shards.meta.json"), "utf8")).toBe(before);
});
