import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readShardsMeta } from "../../../lib/shard/meta.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const sha256 = "0".repeat(64);

/** The fields that every writer of the format sets. */
const least = {
  schema: "xfer.shards.v1",
  input: "manifest.jsonl",
  outdir: "shards",
  num_shards: 2,
  strategy: "bytes",
  num_records: 3,
  bytes_total: 30,
  created_at: "2026-01-01T00:00:00+00:00",
  shards: [
    { records: 1, bytes: 10, sha256 },
    { records: 2, bytes: 20, sha256 },
  ],
};

function read(value: unknown) {
  using dir = temporaryDirectory();
  const path = join(dir.path, "shards.meta.json");
  writeFileSync(path, JSON.stringify(value));
  return readShardsMeta(path);
}

test("a shards.meta.json without the optional fields is read, and one with unknown fields", () => {
  expect(read(least)).toEqual(least as never);
  const more = { ...least, note: 1, spread: { weight: 1, bytes: 1, records: 1, other: 2 }, weight_total: 5 };
  expect(read(more)).toEqual(more as never);
});

test("one that does not hold what it must is refused", () => {
  expect(() => read({ ...least, shards: least.shards.slice(1) })).toThrow(/does not hold exactly the shards/);
  expect(() => read({ ...least, weight_total: -1 })).toThrow(/weight_total/);
});
