import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  destinationBinding,
  distrustFindings,
  findingOf,
  findings,
  readDestination,
  readFindings,
  writeDestination,
  writeFindings,
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

test("only the same size and MD5 is there; the same size is compared; all else is copied", () => {
  expect(findingOf("missing")).toBe(findings.toCopy);
  expect(findingOf("size-differs")).toBe(findings.toCopy);
  expect(findingOf("hash-differs")).toBe(findings.toCopy);
  expect(findingOf("size-equal")).toBe(findings.maybeThere);
  expect(findingOf("hash-equal")).toBe(findings.identical);
});

test("findings that are torn, foreign or of another length are none", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "shard_0.found");
  const shard = { sha256: digest("a"), records: 4 };
  expect(readFindings(path, shard)).toBeUndefined();
  writeFindings(path, shard.sha256, Uint8Array.of(0, 1, 2, 0));
  const whole = readFileSync(path, "utf8");
  expect(whole).toBe(`xfer.found.v1 ${digest("a")}\n0120\n`);
  expect(readFindings(path, shard)).toEqual(Uint8Array.of(0, 1, 2, 0));
  expect(readFindings(path, { ...shard, records: 3 })).toBeUndefined();
  expect(readFindings(path, { ...shard, sha256: digest("b") })).toBeUndefined();
  for (const bad of [whole.slice(0, -1), whole.replace("0120", "0130"), whole.replace("0120", "\0\0\0\0")]) {
    writeFileSync(path, bad);
    expect(readFindings(path, shard)).toBeUndefined();
  }
  distrustFindings(path, shard);
  expect(readFindings(path, shard)).toEqual(new Uint8Array(4));
});
