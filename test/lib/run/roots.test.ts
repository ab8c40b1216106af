import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runLayout } from "../../../lib/run/layout.ts";
import { checkDoneRoots, requireSameRoots, rootsOfShards } from "../../../lib/run/roots.ts";
import type { ShardsMeta } from "../../../lib/shard/meta.ts";
import { recordLine } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const sha256 = "a".repeat(64);
const metaOf = (records: readonly number[], more: Partial<ShardsMeta> = {}) =>
  ({
    num_shards: records.length,
    shards: records.map((n) => ({ records: n, bytes: 0, sha256 })),
    ...more,
  }) as ShardsMeta;

test("the roots are those that the shards' description names, without a look at the shards", async () => {
  const meta = metaOf([1], { source_root: "src:a", dest_root: "/b" });
  expect(await rootsOfShards(runLayout("/nowhere"), meta)).toEqual({ source_root: "src:a", dest_root: "/b" });
});

test("an earlier build's shards name their roots in their records: in the first that has one", async () => {
  using dir = temporaryDirectory();
  const run = runLayout(dir.path);
  mkdirSync(run.shardsDir);
  writeFileSync(join(run.shardsDir, "shard_000000.jsonl"), "");
  writeFileSync(join(run.shardsDir, "shard_000001.jsonl"), recordLine({ path: "a", size: 1 }));
  const roots = { source_root: "src:bucket/set", dest_root: "dst:bucket/set" };
  expect(await rootsOfShards(run, metaOf([0, 1]))).toMatchObject(roots);
  // One of the two alone tells nothing of the other.
  expect(await rootsOfShards(run, metaOf([0, 1], { source_root: "src:other" }))).toMatchObject(roots);
  await expect(rootsOfShards(run, metaOf([0, 0]))).rejects.toThrow(
    `${run.shardsMeta}: no shard has a record: shard the manifest again`,
  );
});

const here = { path: "config.resolved.json", roots: { source_root: "src:a", dest_root: "dst:b" } };

test.each([
  ["src:a", "dst:b", undefined],
  ["src:x", "dst:b", "config.resolved.json has the source src:a, but meta has src:x: mend it"],
  ["src:a", "dst:x", "config.resolved.json has the destination dst:b, but meta has dst:x: mend it"],
  ["src:A", "dst:b", "config.resolved.json has the source src:a, but meta has src:A: mend it"],
  // The first that differs is named.
  ["dst:b", "src:a", "config.resolved.json has the source src:a, but meta has dst:b: mend it"],
])("the roots src:a and dst:b beside %s and %s", (source_root, dest_root, problem) => {
  const compare = () =>
    requireSameRoots(here, { path: "meta", roots: { source_root, dest_root } }, "mend it");
  if (problem === undefined) expect(compare).not.toThrow();
  else expect(compare).toThrow(problem);
});

test("a .done proves a shard between its own roots alone; one that names none is of an earlier build", () => {
  const done = (more: object) => ({ kind: "value", value: { schema: "xfer.done.v1", ...more } }) as never;
  const check = (state: never) => () => checkDoneRoots("shard_0.done", state, here);
  expect(check({ kind: "none" } as never)).not.toThrow();
  expect(check({ kind: "unreadable", reason: "torn" } as never)).not.toThrow();
  expect(check(done({}))).not.toThrow();
  expect(check(done({ source_root: "src:x" }))).not.toThrow();
  expect(check(done({ source_root: "src:a", dest_root: "dst:b" }))).not.toThrow();
  expect(check(done({ source_root: "src:a", dest_root: "dst:c" }))).toThrow(
    "shard_0.done has the destination dst:c, but config.resolved.json has dst:b: use a new run directory",
  );
});
