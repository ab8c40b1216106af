import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { runLayout, shardLayout } from "../../../lib/run/layout.ts";
import type { ShardsMeta } from "../../../lib/shard/meta.ts";
import { checkWholeManifest, collectVerification } from "../../../lib/verify/collect.ts";
import {
  readShardVerification,
  type ShardVerification,
  shardIsVerified,
} from "../../../lib/verify/shard-verification.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const digestOf = (shard: number) => String(shard).repeat(64);

const metaOf = (shards: number, more: Partial<ShardsMeta> = {}) =>
  ({
    input: "manifest.jsonl",
    num_shards: shards,
    num_records: 10 * shards,
    bytes_total: 100 * shards,
    shards: Array.from({ length: shards }, (_, shard) => ({
      records: 10,
      bytes: 100,
      sha256: digestOf(shard),
    })),
    ...more,
  }) as ShardsMeta;

const verified = (shard: number, more: Partial<ShardVerification> = {}): ShardVerification => ({
  schema: "xfer.shard-verify.v1",
  shard,
  sha256: digestOf(shard),
  checksum: "auto",
  hash_proven: 10,
  size_only: 0,
  missing: 0,
  differs: 0,
  failures: [],
  rclone_version: null,
  verified_at: "",
  ...more,
});

const failures = (shard: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    path: `${shard}/${i}`,
    verdict: "missing" as const,
    reason: "not at the destination",
  }));

const head = {
  dest_root: "dst:b",
  untransferable: { objects: 1, bytes: 5 },
  manifest_sha256: "f".repeat(64),
  verified_at: "2026-11-25T08:00:00.000Z",
  xfer_version: "9.9.9",
};

/** A run directory whose shards were verified so, with a line each. */
function runOf(dir: string, shards: readonly ShardVerification[]) {
  const run = runLayout(dir);
  mkdirSync(run.stateDir);
  shards.forEach((one, shard) => {
    const layout = shardLayout(run, shard);
    writeFileSync(layout.verify, JSON.stringify(one));
    writeFileSync(layout.verifyList, one.size_only + one.missing > 0 ? `{"path":"of ${shard}"}\n` : "");
  });
  return run;
}

test("what the shards found is added up, and their lists follow each other", async () => {
  using dir = temporaryDirectory();
  const run = runOf(dir.path, [
    verified(0, { hash_proven: 7, size_only: 3 }),
    verified(1, {
      hash_proven: 4,
      missing: 5,
      differs: 1,
      failures: failures(1, 15),
      rclone_version: "v1.60.1",
    }),
    verified(2, { hash_proven: 0, missing: 10, failures: failures(2, 15), rclone_version: "v1.65.0" }),
  ]);
  const found = await collectVerification(run, metaOf(3), head);
  expect(found).toEqual({
    schema: "xfer.verify.v1",
    checksum: "auto",
    ...head,
    listed: { objects: 30, bytes: 300 },
    hash_proven: 11,
    size_only: 3,
    missing: 15,
    differs: 1,
    sampled: 0,
    sampled_differs: 0,
    extra: null,
    metadata_compared: false,
    verified: false,
    failures: [...failures(1, 15), ...failures(2, 5)],
    rclone_version: "v1.60.1",
  });
  expect(JSON.parse(readFileSync(run.verifyTotals, "utf8"))).toEqual(found);
  expect(readFileSync(run.verifyList, "utf8")).toBe('{"path":"of 0"}\n{"path":"of 1"}\n{"path":"of 2"}\n');
});

test("a run whose shards all hold is verified", async () => {
  using dir = temporaryDirectory();
  const run = runOf(dir.path, [verified(0), verified(1, { hash_proven: 9, size_only: 1 })]);
  expect(await collectVerification(run, metaOf(2), head)).toMatchObject({ verified: true, failures: [] });
});

type Break = (run: ReturnType<typeof runLayout>) => void;

test.each<[string, Break, Partial<ShardsMeta>, object]>([
  [
    "a shard is not verified yet",
    (run) => unlinkSync(shardLayout(run, 1).verify),
    {},
    {
      exitCode: 1,
      message: expect.stringContaining("shard 1 is not verified yet: see xfer verify --executor slurm"),
    },
  ],
  [
    "a shard was verified with other content",
    (run) => writeFileSync(shardLayout(run, 1).verify, JSON.stringify(verified(1, { sha256: digestOf(9) }))),
    {},
    { exitCode: 1, message: expect.stringContaining("shard 1 is not verified as it is now") },
  ],
  [
    "a shard's verification is torn",
    (run) => writeFileSync(shardLayout(run, 1).verify, JSON.stringify(verified(1)).slice(0, -1)),
    {},
    { exitCode: 1, message: expect.stringContaining("shard 1 is not verified as it is now") },
  ],
  [
    "shards were verified in two ways",
    (run) => writeFileSync(shardLayout(run, 1).verify, JSON.stringify(verified(1, { checksum: "off" }))),
    {},
    { exitCode: 2, message: expect.stringContaining("with different --checksum") },
  ],
  [
    "the shards are those of a delta",
    () => {},
    { input: "delta.jsonl" },
    { exitCode: 2, message: expect.stringContaining("cut from delta.jsonl, not from the whole manifest") },
  ],
])("where %s there are no totals, and those of before stay", async (_, breaks, more, expected) => {
  using dir = temporaryDirectory();
  const run = runOf(dir.path, [verified(0), verified(1)]);
  breaks(run);
  writeFileSync(run.verifyTotals, "of before");
  const error = await collectVerification(run, metaOf(2, more), head).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject(expected);
  expect(readFileSync(run.verifyTotals, "utf8")).toBe("of before");
});

test("a list that is gone ends the collection, and no totals say otherwise", async () => {
  using dir = temporaryDirectory();
  const run = runOf(dir.path, [verified(0), verified(1)]);
  unlinkSync(shardLayout(run, 1).verifyList);
  writeFileSync(run.verifyTotals, "of before");
  await expect(collectVerification(run, metaOf(2), head)).rejects.toThrow("shard_1.verify.jsonl");
  expect(existsSync(run.verifyTotals)).toBe(false);
  expect(readdirSync(dir.path)).toEqual(["state"]);
});

test.each<[string, Partial<ShardVerification>, boolean]>([
  ["all proven", {}, true],
  ["a size alone, where hashes are compared if known", { size_only: 1 }, true],
  ["a size alone, where hashes are required", { size_only: 1, checksum: "require" }, false],
  ["a size alone, where hashes are not looked at", { size_only: 1, checksum: "off" }, true],
  ["one missing", { missing: 1, checksum: "off" }, false],
  ["one that differs", { differs: 1, checksum: "off" }, false],
])("a shard is verified or not with %s", (_, more, is) => {
  expect(shardIsVerified(verified(0, more))).toBe(is);
});

test("a shard's verification of an earlier build is read", () => {
  using dir = temporaryDirectory();
  const { failures: _, rclone_version, ...earlier } = verified(0);
  const run = runOf(dir.path, [earlier as ShardVerification]);
  const entry = { records: 10, bytes: 100, sha256: digestOf(0) };
  expect(readShardVerification(run, entry, 0)).toEqual(verified(0));
});

test("shards of the whole manifest may be verified apart", () => {
  expect(() => checkWholeManifest(runLayout("/run"), metaOf(1))).not.toThrow();
});
