import { describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { untransferablePath } from "../../../../lib/manifest/untransferable.ts";
import { readReport } from "../../../../lib/operate/report/report.ts";
import type { Unproven } from "../../../../lib/operate/report/schema.ts";
import { forEachUnproven } from "../../../../lib/operate/report/unproven.ts";
import { type RunLayout, shardLayout } from "../../../../lib/run/layout.ts";
import { sha256OfFile } from "../../../../lib/system/file-digest.ts";
import { temporaryDirectory } from "../../../stage/harness.ts";
import { type MadeShard, madeRoots, makeRun, minuteAt } from "./made-run.ts";

const now = new Date(minuteAt(60));

/** The objects of a run that are not proven, and how many batches they came in. */
async function unprovenOf(runDir: string): Promise<Unproven[]> {
  const found: Unproven[] = [];
  const report = await readReport({ runDir, version: "1", now });
  await forEachUnproven(report, async (objects) => {
    found.push(...objects);
  });
  return found;
}

/** State, shard, path, class and reason of each object. */
const shown = (objects: readonly Unproven[]) =>
  objects.map(({ state, shard, path, class: failure, reason }) => [state, shard, path, failure, reason]);

const refused = (path: string) => ({ path, class: "auth", message: `${path} was refused` });

async function writeVerification(
  run: RunLayout,
  lines: readonly { path: string; verdict: string }[],
  more: object = {},
): Promise<void> {
  const text = lines.map(
    ({ path, verdict }) => `${JSON.stringify({ path, size: 10, verdict, reason: "r" })}\n`,
  );
  writeFileSync(run.verifyList, text.join(""));
  const totals = {
    ...{ schema: "xfer.verify.v1", checksum: "auto", dest_root: madeRoots.dest_root },
    ...{ listed: { objects: 4, bytes: 40 }, hash_proven: 0, size_only: 0, missing: 1, differs: 1 },
    ...{ sampled: 0, sampled_differs: 0, extra: 0, verified: false },
    ...{ manifest_sha256: await sha256OfFile(run.manifest), verified_at: minuteAt(30) },
    ...{ xfer_version: "1", rclone_version: null },
    ...more,
  };
  writeFileSync(run.verifyTotals, JSON.stringify(totals));
}

const failed: MadeShard = { keys: ["a", "b", "c"], proven: [1], end: "failed", errors: [refused("a")] };

describe("objects that are not proven", () => {
  test("of a failed shard: those that its .fail names, and the others by the journal", async () => {
    using dir = temporaryDirectory();
    makeRun(dir.path, [failed, { keys: ["d"], end: "done" }]);
    expect(shown(await unprovenOf(dir.path))).toEqual([
      ["failed", 0, "a", "auth", "a was refused"],
      ["failed", 0, "c", null, "not named in its shard's .fail: see logs/shard_0_attempt_1.log"],
    ]);
  });

  test("of a shard that failed as a whole: its reason", async () => {
    using dir = temporaryDirectory();
    makeRun(dir.path, [{ keys: ["a"], end: "failed" }]);
    expect(shown(await unprovenOf(dir.path))).toEqual([["failed", 0, "a", "network", "1 objects failed"]]);
  });

  test("first those that failed, then what cannot be carried, then what has not ended", async () => {
    using dir = temporaryDirectory();
    const run = makeRun(dir.path, [
      { keys: ["w"] },
      { keys: ["r1", "r2"], proven: [0], end: "running" },
      { keys: ["s"], end: "stopped" },
      failed,
    ]);
    writeFileSync(
      untransferablePath(run.manifest),
      `${JSON.stringify({ key: "x//y", size: null, reason: "no" })}\n`,
    );
    expect(shown(await unprovenOf(dir.path))).toEqual([
      ["failed", 3, "a", "auth", "a was refused"],
      ["failed", 3, "c", null, "not named in its shard's .fail: see logs/shard_3_attempt_1.log"],
      ["untransferable", null, "x//y", "untransferable", "no"],
      ["unfinished", 0, "w", null, "its shard waits"],
      ["unfinished", 1, "r2", null, "its shard is under way"],
      ["unfinished", 2, "s", null, "its shard was stopped"],
    ]);
  });

  test("a shard whose records cannot be read: what its .fail names, and the number of the others", async () => {
    using dir = temporaryDirectory();
    const run = makeRun(dir.path, [failed, { keys: ["d", "e"] }]);
    writeFileSync(shardLayout(run, 0).records, "other content\n");
    rmSync(shardLayout(run, 1).records);
    const found = await unprovenOf(dir.path);
    expect(found.map(({ shard, path, objects, size }) => [shard, path, objects, size])).toEqual([
      [0, "a", 1, 10],
      [0, null, 1, null],
      [1, null, 2, null],
    ]);
    expect(found[1]?.reason).toContain("does not match its digest");
    expect(found[2]?.reason).toContain("no such shard");
  });

  test("a torn journal proves what is whole; one of other content or roots proves nothing", async () => {
    using dir = temporaryDirectory();
    const run = makeRun(dir.path, [
      { ...failed, errors: [] },
      { ...failed, keys: ["d", "e", "f"], errors: [] },
      { ...failed, keys: ["g", "h", "i"], errors: [] },
    ]);
    const sha = await sha256OfFile(shardLayout(run, 0).records);
    const roots = JSON.stringify([madeRoots.source_root, madeRoots.dest_root]);
    writeFileSync(shardLayout(run, 0).journal, `xfer.journal.v1 ${sha} ${roots}\nc0\nc2\nc`);
    writeFileSync(shardLayout(run, 1).journal, `xfer.journal.v1 ${sha} ${roots}\nc0\n`);
    const own = await sha256OfFile(shardLayout(run, 2).records);
    writeFileSync(shardLayout(run, 2).journal, `xfer.journal.v1 ${own} ["x:","y:"]\nc0\n`);
    const found = await unprovenOf(dir.path);
    expect(found.map(({ path }) => path)).toEqual(["b", "d", "e", "f", null]);
    expect(found.at(-1)).toMatchObject({ shard: 2, objects: 2 });
    expect(found.at(-1)?.reason).toContain("has the source x:");
  });
});

describe("objects that a verification refutes", () => {
  const lines = [
    { path: "d", verdict: "missing" },
    { path: "e", verdict: "size-only" },
    { path: "a", verdict: "missing" },
    { path: "f", verdict: "differs" },
  ];
  const done: MadeShard = { keys: ["d", "e", "f"], end: "done" };

  test("each once, though its shard has failed too; equal size is a proof", async () => {
    using dir = temporaryDirectory();
    const run = makeRun(dir.path, [failed, done]);
    await writeVerification(run, lines);
    writeFileSync(run.verifyList, "torn", { flag: "a" });
    const found = await unprovenOf(dir.path);
    expect(found.map(({ state, path }) => [state, path])).toEqual([
      ["failed", "a"],
      ["failed", "c"],
      ["missing", "d"],
      ["differs", "f"],
    ]);
  });

  test("equal size is none where hashes are required", async () => {
    using dir = temporaryDirectory();
    await writeVerification(makeRun(dir.path, [done]), lines.slice(0, 2), { checksum: "require" });
    expect((await unprovenOf(dir.path)).map(({ state }) => state)).toEqual(["missing", "size-only"]);
  });

  test.each<[string, object]>([
    ["is older than the run", { verified_at: minuteAt(1) }],
    ["is of another manifest", { manifest_sha256: "0" }],
    ["verified the run", { verified: true, missing: 0, differs: 0 }],
  ])("none by one that %s", async (_, more) => {
    using dir = temporaryDirectory();
    await writeVerification(makeRun(dir.path, [done]), lines, more);
    expect(await unprovenOf(dir.path)).toEqual([]);
  });
});

test("many objects come some thousand at a time", async () => {
  using dir = temporaryDirectory(undefined, process.env.TMPDIR ?? "/tmp");
  const keys = Array.from({ length: 10_000 }, (_, i) => join("k", String(i)));
  makeRun(dir.path, [{ keys: keys.slice(0, 9_999) }, { keys: keys.slice(9_999) }]);
  const sizes: number[] = [];
  const report = await readReport({ runDir: dir.path, version: "1", now });
  await forEachUnproven(report, async (objects) => {
    sizes.push(objects.length);
  });
  expect(sizes.reduce((sum, size) => sum + size)).toBe(10_000);
  expect(sizes.length).toBeGreaterThan(1);
});
