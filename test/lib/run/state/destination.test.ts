import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  destinationBinding,
  readDestination,
  writeDestination,
} from "../../../../lib/run/state/destination.ts";
import type { ShardsMeta } from "../../../../lib/shard/meta.ts";
import { temporaryDirectory } from "../../../stage/harness.ts";

const digest = (letter: string) => letter.repeat(64);

function metaOf(...digests: string[]): ShardsMeta {
  return {
    schema: "xfer.shards.v1",
    input: "manifest.jsonl",
    outdir: "shards",
    num_shards: digests.length,
    strategy: "bytes",
    num_records: digests.length,
    bytes_total: 0,
    created_at: "",
    shards: digests.map((sha256) => ({ records: 1, bytes: 0, sha256 })),
  };
}

test("an answer counts for its destination and its shards alone", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "destination.json");
  const binding = destinationBinding("dst:a", metaOf(digest("a"), digest("b")));
  const seen = { found: "per-shard", listed: 7, version: [1, 60] } as const;
  expect(readDestination(path, binding)).toBeUndefined();
  writeDestination(path, binding, seen);
  expect(readDestination(path, binding)).toEqual({ ...seen, version: [1, 60] });
  for (const other of [
    destinationBinding("dst:b", metaOf(digest("a"), digest("b"))),
    destinationBinding("dst:a", metaOf(digest("b"), digest("a"))),
    destinationBinding("dst:a", metaOf(digest("a"))),
  ]) {
    expect(readDestination(path, other)).toBeUndefined();
  }
  writeFileSync(path, readFileSync(path, "utf8").slice(0, 40));
  expect(readDestination(path, binding)).toBeUndefined();
});

test("of an earlier build's answers only an empty destination counts", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "destination.json");
  const binding = destinationBinding("dst:a", metaOf(digest("a")));
  const earlier = (empty: boolean | null) =>
    JSON.stringify({ schema: "xfer.destination.v1", dest_root: "dst:a", empty, rclone_version: [1, 60] });
  writeFileSync(path, earlier(true));
  expect(readDestination(path, binding)).toEqual({ found: "nothing", listed: 0, version: [1, 60] });
  for (const empty of [false, null]) {
    writeFileSync(path, earlier(empty));
    expect(readDestination(path, binding)).toBeUndefined();
  }
});
