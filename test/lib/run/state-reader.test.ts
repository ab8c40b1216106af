import { expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runLayout } from "../../../lib/run/layout.ts";
import { StateReader } from "../../../lib/run/state-reader.ts";
import { readShardsMeta } from "../../../lib/shard/meta.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { type SyntheticKind, writeSyntheticRun } from "../../stage/synthetic-run.ts";

/** A run of a shard of each kind, and what reads it. */
function readerOf(dir: string, kinds: readonly SyntheticKind[]) {
  writeSyntheticRun(dir, { numShards: kinds.length, kinds, now: new Date() });
  const run = runLayout(dir);
  const meta = readShardsMeta(run.shardsMeta);
  if (!meta) throw new Error("no shards");
  return new StateReader(run, meta);
}

test("files are read for what they are: a value, none, torn, foreign, a folder, too large", () => {
  using dir = temporaryDirectory();
  const reader = readerOf(dir.path, [
    "done",
    "running",
    "failed",
    "waiting",
    "torn",
    "foreign",
    "waiting",
    "waiting",
  ]);
  const state = join(dir.path, "state");
  mkdirSync(join(state, "shard_6.fail"));
  writeFileSync(join(state, "shard_7.progress"), "");
  truncateSync(join(state, "shard_7.progress"), 2 ** 40);
  for (const name of [
    "shard_99.done",
    "shard_007.done",
    "shard_1.journal",
    "shard_1.lock.x",
    "shard_1.done.tmp.9",
  ])
    writeFileSync(join(state, name), "");
  const { shards, foreign } = reader.read();
  const found = shards.map(({ done, fail, progress, attempt }) =>
    [done, fail, progress, attempt].map(({ kind }) => kind[0]).join(""),
  );
  expect(found).toEqual(["vnnv", "nnvv", "nvnv", "nnnn", "unun", "vnnu", "nunn", "nnun"]);
  expect(foreign.files).toBe(3);
  expect(shards[7]?.progress).toMatchObject({ reason: expect.stringContaining("1.0 TiB") });
  // A .fail names up to 1,000 objects.
  const fail = shards[2]?.fail;
  expect(fail?.kind === "value" && fail.value.errors.length).toBe(1);
  expect(shards[2]?.failures).toMatchObject([{ class: "auth", end: "destination", objects: 100 }]);
});

test("a later look sees what came, what changed and what went", () => {
  using dir = temporaryDirectory();
  const reader = readerOf(dir.path, ["running", "failed", "waiting", "done"]);
  const state = (name: string) => join(dir.path, "state", name);
  reader.read();
  const other = temporaryDirectory();
  using _ = other;
  writeSyntheticRun(other.path, { numShards: 3, kinds: ["done", "running", "running"], now: new Date() });
  for (const name of ["shard_0.done", "shard_0.attempt", "shard_2.attempt"])
    renameSync(join(other.path, "state", name), state(name));
  rmSync(state("shard_1.fail"));
  rmSync(state("shard_3.done"));
  const { shards } = reader.read();
  expect(shards[0]).toMatchObject({ done: { kind: "value" }, attempt: { value: { outcome: "done" } } });
  expect(shards[1]).toMatchObject({ fail: { kind: "none" }, failures: [] });
  expect(shards[2]).toMatchObject({ attempt: { value: { outcome: "running" } } });
  expect(shards[3]).toMatchObject({ done: { kind: "none" } });
});

test("a run that was not started has no state", () => {
  using dir = temporaryDirectory();
  const reader = readerOf(dir.path, ["waiting"]);
  rmSync(join(dir.path, "state"), { recursive: true });
  expect(reader.read()).toMatchObject({ hasControl: false, shards: [{ done: { kind: "none" } }] });
});
