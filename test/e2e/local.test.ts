import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Stage, state, temporaryDirectory, timeoutMs, writeTree, xfer } from "../stage/harness.ts";

function expectTree(dir: string, files: ReadonlyMap<string, { body: Uint8Array; mtime: Date }>): void {
  const different = [...files].filter(([key, { body, mtime }]) => {
    const path = join(dir, key);
    const there = statSync(path, { throwIfNoEntry: false });
    if (!there || Math.abs(there.mtimeMs - mtime.getTime()) > 1) return true;
    return !readFileSync(path).equals(body);
  });
  expect(different.map(([key]) => key)).toEqual([]);
  const found = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(found.length).toBe(files.size);
}

test(
  "S3 to S3: every object arrives with equal bytes and time; a second run asks the endpoints nothing",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(400);
    const first = await stage.xfer(...stage.runArgs("--num-shards", "5", "--json"));
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({
      schema: "xfer.account.v1",
      shards: { total: 5, done: 5, failed: 0, unfinished: 0 },
      listed: { objects: 400 },
      copied: { objects: 400 },
      failed: { objects: 0 },
    });
    await stage.expectEqual(keys);
    const { source, dest } = stage;
    expect(source.counts.LIST).toBeLessThanOrEqual(2);
    expect(source.counts.HEAD).toBeLessThanOrEqual(2);
    // Two requests an object: one GET at the source, one PUT at the destination.
    expect(source.counts.GET).toBe(400);
    expect(dest.counts.PUT).toBe(400);
    expect(source.counts.total + dest.counts.total).toBeLessThanOrEqual(2 * 400 + 4);

    source.resetCounts();
    dest.resetCounts();
    const second = await stage.xfer(...stage.runArgs("--num-shards", "5", "--json"));
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ copied: { objects: 400 }, failed: { objects: 0 } });
    expect(source.counts.total + dest.counts.total).toBe(0);
  },
  timeoutMs,
);

test(
  "S3 to POSIX and POSIX to S3: hostile names, bytes and times survive both ways",
  async () => {
    await using stage = await Stage.start();
    using tree = temporaryDirectory();
    const files = writeTree(join(tree.path, "in"), 150);
    const up = await xfer(
      [
        ...["run", "--executor", "local", "--source", join(tree.path, "in"), "--dest", "dst:copy/a b"],
        ...["--rclone-config", stage.conf, "--run-dir", join(tree.path, "up"), "--num-shards", "3"],
      ],
      { cwd: tree.path },
    );
    expect(up.stderr).not.toContain("error");
    expect(up.code).toBe(0);
    expect(stage.dest.keys("copy").length).toBe(150);
    const down = await xfer(
      [
        ...["run", "--executor", "local", "--source", "dst:copy/a b", "--dest", join(tree.path, "out")],
        ...["--rclone-config", stage.conf, "--run-dir", join(tree.path, "down"), "--num-shards", "3"],
      ],
      { cwd: tree.path },
    );
    expect(down.code).toBe(0);
    expectTree(join(tree.path, "out"), files);
  },
  timeoutMs,
);

test(
  "POSIX to POSIX without any rclone.conf, by relative paths",
  async () => {
    using tree = temporaryDirectory();
    const files = writeTree(join(tree.path, "in"), 120);
    const args = [
      "run",
      "--executor",
      "local",
      "--source",
      "in/",
      "--dest",
      "out",
      "--run-dir",
      "r",
      "--strategy",
      "hash",
    ];
    const result = await xfer([...args, "--num-shards", "4"], { cwd: tree.path });
    expect(result.code).toBe(0);
    expect(result.stdout).toContain("listed                 120 objects");
    expect(result.stdout).toContain("run directory: r\n");
    expectTree(join(tree.path, "out"), files);
  },
  timeoutMs,
);
test(
  "RCLONE_* variables that would break the account are kept from rclone, and the log says so",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(40);
    const env = {
      RCLONE_DRY_RUN: "true",
      RCLONE_LOG_FILE: join(stage.dir, "elsewhere.log"),
      RCLONE_LOG_LEVEL: "ERROR",
      RCLONE_MAX_TRANSFER: "1k",
    };
    const run = await xfer(stage.runArgs("--num-shards", "1"), { cwd: stage.dir, env });
    expect(run.code).toBe(0);
    await stage.expectEqual(keys);
    expect(stage.dest.counts.PUT).toBe(keys.length);
    const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
    expect(log).toContain("xfer: RCLONE_DRY_RUN is kept from rclone: nothing would be copied");
    for (const name of Object.keys(env)) expect(log).toContain(`xfer: ${name} is kept from rclone`);
    expect(readdirSync(stage.dir)).not.toContain("elsewhere.log");
  },
  timeoutMs,
);

test(
  "objects under the key of another, which rclone passes over in silence: all of them arrive",
  async () => {
    await using stage = await Stage.start();
    const keys = ["s", "s/b", "s/b/c", "s/b/c/d", "other/x", "z"];
    for (const key of keys) stage.source.put("data", key, `content of ${key}`, { mtime: new Date(1.7e12) });
    const run = await stage.xfer(
      ...stage.runArgs("--num-shards", "1", "--rclone-flags", "--retries 1", "--verify"),
    );
    expect(run.code).toBe(0);
    await stage.expectEqual(keys);
    expect(stage.dest.counts.PUT).toBe(keys.length);
    expect(state(stage.runDir, 0, "attempt")).toMatchObject({ attempt: 1, outcome: "done" });
  },
  timeoutMs,
);

test(
  "run --num-shards auto cuts as many shards as analyze suggests, and goes on with them",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(30);
    const run = await stage.xfer(...stage.runArgs("--num-shards", "auto"));
    expect(run.code).toBe(0);
    await stage.expectEqual(keys);
    const flags = ["--assumed-array-concurrency", String(availableParallelism())];
    const manifest = join(stage.runDir, "manifest.jsonl");
    const analysis = await stage.xfer("manifest", "analyze", "--in", manifest, "--json", ...flags);
    const meta = JSON.parse(readFileSync(join(stage.runDir, "shards", "shards.meta.json"), "utf8"));
    expect(meta.num_shards).toBe(JSON.parse(analysis.stdout).suggested_shard_count);
    expect((await stage.xfer(...stage.runArgs("--num-shards", "auto"))).code).toBe(0);
    expect(stage.dest.counts.PUT).toBe(keys.length);
  },
  timeoutMs,
);
