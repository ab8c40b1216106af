import { expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkShardKeys } from "../../../lib/shard/check-keys.ts";
import { readShardsMeta, type ShardsMeta } from "../../../lib/shard/meta.ts";
import { escapedLine, recordLine } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

/** Shards of these keys, as an earlier build cut them, and their description. */
function shardsOf(dir: string, shards: readonly string[][], more: Partial<ShardsMeta> = {}): ShardsMeta {
  shards.forEach((keys, shard) => {
    const lines = keys.map((path, i) => (i % 2 === 0 ? recordLine : escapedLine)({ path, size: 1 }));
    writeFileSync(join(dir, `shard_00000${shard}.jsonl`), lines.join(""));
  });
  return {
    schema: "xfer.shards.v1",
    input: "manifest.jsonl",
    outdir: "shards",
    num_shards: shards.length,
    strategy: "bytes",
    num_records: shards.flat().length,
    bytes_total: 0,
    created_at: "",
    shards: shards.map((keys) => ({ records: keys.length, bytes: 0, sha256: "a".repeat(64) })),
    ...more,
  };
}

test("keys that are all distinct are noted, once", async () => {
  using dir = temporaryDirectory();
  const meta = shardsOf(dir.path, [["b", "a", "\u00fc"], [], ["A", "c", "u\u0308"]]);
  await checkShardKeys(dir.path, meta);
  const path = join(dir.path, "shards.meta.json");
  expect(readShardsMeta(path)).toEqual({ ...meta, keys_distinct: true });
  // What was cut with that in mind is not read.
  using empty = temporaryDirectory();
  await checkShardKeys(empty.path, { ...meta, keys_distinct: true });
  expect(readdirSync(empty.path)).toEqual([]);
});

test.each<[string, string[][], string, string]>([
  ["in one shard", [["x"], ["b", "a", "b"]], "shard_000001.jsonl:3", "shard_000001.jsonl:1"],
  ["in two shards", [["a", "k"], [], ["c", "b", "k"]], "shard_000002.jsonl:3", "shard_000000.jsonl:2"],
  ["at the ends of shards", [["z"], ["y", "z"]], "shard_000001.jsonl:2", "shard_000000.jsonl:1"],
  [
    "written in two ways",
    [["\u{1f600}<"], ["a", "\u{1f600}<"]],
    "shard_000001.jsonl:2",
    "shard_000000.jsonl:1",
  ],
])("a key that is twice %s is told by both its lines", async (_, shards, again, first) => {
  using dir = temporaryDirectory();
  const meta = shardsOf(dir.path, shards);
  const error = await checkShardKeys(dir.path, meta).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exitCode: 2 });
  const { message } = error as Error;
  expect(message).toStartWith(`${join(dir.path, again)}: the key is in ${join(dir.path, first)} already: `);
  expect(existsSync(join(dir.path, "shards.meta.json"))).toBe(false);
  expect(readdirSync(dir.path)).toHaveLength(shards.length);
});

test("a look that is stopped notes nothing", async () => {
  using dir = temporaryDirectory();
  const meta = shardsOf(dir.path, [["a"], ["b"]]);
  await expect(checkShardKeys(dir.path, meta, AbortSignal.abort("SIGTERM"))).rejects.toMatchObject({
    exitCode: 75,
  });
  expect(existsSync(join(dir.path, "shards.meta.json"))).toBe(false);
});
