import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shardManifest } from "../../../lib/manifest/shard.ts";
import { type ShardStrategy, shardStrategies } from "../../../lib/manifest/shards-meta.ts";
import { seededRandom } from "../../data/fill.ts";
import { hostileManifest } from "../../data/hostile-names.ts";
import { temporaryDirectory } from "../../e2e/harness.ts";

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
      [3, 8],
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
        // Runs of the manifest, in order, but for the hash.
        if (strategy !== "hash") expect(Buffer.concat(texts).toString("utf8")).toBe(text);
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

test("counts are level to one record, and bytes to half the largest object", async () => {
  using dir = temporaryDirectory();
  const manifest = join(dir.path, "m.jsonl");
  writeFileSync(manifest, oddManifest(10_000, seededRandom(5)));
  const count = await shardInto(dir.path, manifest, 30, "count");
  const counts = count.meta.shards.map(({ records }) => records);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  const bytes = await shardInto(dir.path, manifest, 30, "bytes");
  const mean = bytes.meta.bytes_total / 30;
  for (const shard of bytes.meta.shards) expect(Math.abs(shard.bytes - mean)).toBeLessThanOrEqual(1e9);
});

test("a manifest that another writer made, with escaped names, is taken as it is", async () => {
  using dir = temporaryDirectory();
  const { texts, meta } = await shardInto(dir.path, hostileManifest, 4, "bytes");
  expect(Buffer.concat(texts)).toEqual(readFileSync(hostileManifest));
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
