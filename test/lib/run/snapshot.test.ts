import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { emptyAccount, readShardFiles } from "../../../lib/run/account.ts";
import { runLayout, shardLayout } from "../../../lib/run/layout.ts";
import { accountNow, bytesProven, progressOf } from "../../../lib/run/snapshot.ts";
import type { ProgressState } from "../../../lib/run/state/progress.ts";
import type { ShardsMeta } from "../../../lib/shard/meta.ts";
import { RateWindow } from "../../../lib/system/rate.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const digestOf = (shard: number) => String(shard).repeat(64);
const meta = {
  num_shards: 4,
  num_records: 40,
  bytes_total: 4_000,
  shards: [0, 1, 2, 3].map((shard) => ({ records: 10, bytes: 1_000, sha256: digestOf(shard) })),
} as ShardsMeta;
const outside = { untransferable: { objects: 2, bytes: 500 }, same: { objects: 5, bytes: 1_000 } };

const progress = (shard: number, more: Partial<ProgressState> = {}): ProgressState => ({
  schema: "xfer.progress.v1",
  shard,
  sha256: digestOf(shard),
  attempt: 1,
  pass: 1,
  node: "n",
  records: 10,
  bytes: 1_000,
  objects_done: 4,
  bytes_done: 400,
  objects_unchanged: 1,
  bytes_unchanged: 100,
  bytes_in_flight: 50,
  bytes_per_second: 1,
  eta_seconds: null,
  errors: 0,
  throttled: 0,
  throttling: null,
  transfers: null,
  hindrance: null,
  plan: "",
  updated_at: "2026-11-25T08:00:00.000Z",
  ...more,
});

const done = {
  schema: "xfer.done.v1",
  shard: 0,
  sha256: digestOf(0),
  records: 10,
  bytes: 1_000,
  copied: 10,
  copied_bytes: 1_000,
  attempt: 1,
  node: "n",
  finished_at: "",
};

/** A run directory with these state files. */
function runWith(dir: string, files: Record<string, unknown>) {
  const run = runLayout(dir);
  mkdirSync(run.stateDir, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(`${run.stateDir}/${name}`, typeof content === "string" ? content : JSON.stringify(content));
  }
  return run;
}

test("the account of what is on the disk: done, running, of other content, and nothing yet", () => {
  using dir = temporaryDirectory();
  const run = runWith(dir.path, {
    "shard_0.done": done,
    // Of before the shard was done: its bytes are the .done's.
    "shard_0.progress": progress(0),
    "shard_1.progress": progress(1),
    "shard_2.progress": { ...progress(2), sha256: digestOf(9) },
  });
  const { account } = accountNow(run, meta, outside);
  expect(account).toEqual({
    schema: "xfer.account.v1",
    shards: { total: 4, done: 1, failed: 0, unfinished: 3 },
    listed: { objects: 47, bytes: 5_500 },
    copied: { objects: 13, bytes: 1_300 },
    unchanged: { objects: 6, bytes: 1_100 },
    failed: { objects: 0, bytes: 0 },
    unfinished: { objects: 26, bytes: 2_600 },
    untransferable: { objects: 2, bytes: 500 },
    errors: [],
    warnings: [],
  });
  expect(bytesProven(account)).toBe(2_400);
});

test("a live view counts the bytes under way of shards that run, and of no others", () => {
  using dir = temporaryDirectory();
  const run = runWith(dir.path, {
    "shard_0.done": done,
    "shard_0.progress": progress(0, { bytes_in_flight: 7_000 }),
    "shard_1.progress": progress(1),
    "shard_2.progress": "{ torn",
  });
  const now = accountNow(run, meta, outside);
  const rate = new RateWindow();
  // Ten seconds ago or longer half of what is there now was proven or under way.
  const proven = 1_000 + 400 + 50 + 1_000;
  rate.add(Date.now() - 10_000, proven / 2);
  const shown = progressOf(now, rate);
  expect(shown.account.copied.bytes).toBe(1_000 + 300);
  expect(shown.bytesInFlight).toBe(50);
  expect(shown.account.warnings).toHaveLength(1);
  expect(shown.bytesPerSecond).toBeGreaterThan(0);
  expect(shown.bytesPerSecond).toBeLessThanOrEqual(proven / 2 / 10);
  // What cannot be transferred is not waited for.
  expect(shown.etaSeconds).toBeCloseTo((5_000 - proven) / shown.bytesPerSecond);
  expect(shown.hindrance).toBeUndefined();
  expect(shown.throttling).toBeNull();
});

test("nothing moves: no time is given", () => {
  const account = emptyAccount({ objects: 0, bytes: 0 }, { objects: 1, bytes: 10 });
  expect(progressOf({ account, files: [] }, new RateWindow())).toMatchObject({
    bytesPerSecond: 0,
    etaSeconds: null,
  });
});

test("the throttling of all shards that run is added up", () => {
  using dir = temporaryDirectory();
  const throttling = (refused: number) => ({ refused, requests: 100, transfers: 4, wanted: 32 });
  const run = runWith(dir.path, {
    "shard_0.done": done,
    "shard_0.progress": progress(0, { throttling: throttling(90) }),
    "shard_1.progress": progress(1, { throttling: throttling(40) }),
    "shard_2.progress": progress(2, { throttling: throttling(2) }),
    "shard_3.progress": progress(3),
  });
  const shown = progressOf(accountNow(run, meta, outside), new RateWindow());
  expect(shown.throttling).toEqual({ refused: 42, requests: 200, transfers: 8, wanted: 64 });
});

test("a run in which there is nothing to copy", () => {
  expect(emptyAccount({ objects: 1, bytes: 5 }, { objects: 2, bytes: 20 })).toMatchObject({
    shards: { total: 0, done: 0, failed: 0, unfinished: 0 },
    listed: { objects: 3, bytes: 25 },
    unchanged: { objects: 2, bytes: 20 },
    untransferable: { objects: 1, bytes: 5 },
  });
});

test("the state files of each shard are read from its own names", () => {
  using dir = temporaryDirectory();
  const run = runWith(dir.path, { "shard_1.progress": progress(1), "shard_11.done": done });
  expect(readShardFiles(run, 0)).toEqual([]);
  const files = readShardFiles(run, 12);
  expect(files.map(({ progress }) => progress.kind === "value")).toEqual(
    Array.from({ length: 12 }, (_, shard) => shard === 1),
  );
  expect(files[11]?.done.kind).toBe("value");
  expect(shardLayout(run, 11).done).toBe(`${run.stateDir}/shard_11.done`);
});
