import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listedName } from "../data/hostile-names.ts";
import {
  kill,
  Stage,
  startXfer,
  state,
  temporaryDirectory,
  timeoutMs,
  until,
  writeTree,
  xfer,
} from "../stage/harness.ts";

/** The objects that verify.jsonl names with this verdict. */
function named(runDir: string, verdict: string): string[] {
  const lines = readFileSync(join(runDir, "verify.jsonl"), "utf8").split("\n").filter(Boolean);
  const all = lines.map((line) => JSON.parse(line) as { path: string; verdict: string });
  return all.filter((one) => one.verdict === verdict).map(({ path }) => path);
}

test(
  "a run ends verified, from one listing of the destination; again, it asks nothing; --no-verify does not look",
  async () => {
    await using stage = await Stage.start();
    stage.fill(300);
    const args = stage.runArgs("--num-shards", "3");
    const first = await stage.xfer(...args);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/run directory: .*\nverified: 300 by size and MD5 \(.*Z\)\n$/);
    // The bucket before the source's listing, the look before the copy, and the comparison after it.
    expect(stage.dest.counts.LIST).toBe(3);
    stage.dest.resetCounts();
    const again = await stage.xfer(...args, "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({
      verified: true,
      not_verified: null,
      verification: { schema: "xfer.verify.v1", hash_proven: 300 },
    });
    expect(stage.dest.counts.total).toBe(0);
    const without = await stage.xfer(...args, "--no-verify", "--run-dir", join(stage.dir, "other"), "--json");
    expect(without.code).toBe(0);
    expect(JSON.parse(without.stdout)).toMatchObject({
      verified: false,
      not_verified: "--no-verify",
      verification: null,
    });
    expect(stage.dest.counts.LIST).toBe(2);
    expect(existsSync(join(stage.dir, "other", "verify.json"))).toBe(false);
  },
  timeoutMs,
);

test(
  "objects that go or change at the destination before the comparison: exit code 1, and each is named",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(60, 3_000);
    const [gone = "", cut = "", changed = "", last = ""] = keys.slice(-4);
    // The last object waits until the others are there, and are then spoilt.
    const release = stage.source.inject({
      kinds: ["GET"],
      match: ({ key }) => key === last,
      action: { delayMs: 4_000 },
    });
    const running = startXfer(stage.runArgs("--num-shards", "1"), { cwd: stage.dir });
    await until("all but the last", () => stage.dest.keys("copy").length === keys.length - 1);
    stage.dest.remove("copy", gone);
    stage.dest.put("copy", cut, "");
    const body = (await stage.source.get("data", changed)) ?? new Uint8Array();
    stage.dest.put(
      "copy",
      changed,
      body.map((byte) => byte ^ 1),
    );
    const result = await running.result;
    release();
    expect(result.code).toBe(1);
    expect(state(stage.runDir, 0, "done")).toMatchObject({ copied: 60 });
    expect(result.stdout).toContain("not verified: 57 by size and MD5, 1 missing, 2 differing\n");
    expect(result.stdout).toContain(`  missing: ${gone}: not at the destination\n`);
    expect(result.stdout).toContain(`  differs: ${cut}: another size at the destination\n`);
    expect(result.stdout).toContain(`  differs: ${changed}: another MD5 at the destination\n`);
    expect(named(stage.runDir, "missing")).toEqual([gone]);
    expect(named(stage.runDir, "differs").sort()).toEqual([cut, changed].sort());
    expect(result.stdout).toContain(`all of them are in ${stage.runDir}/verify.jsonl; `);
    // What was found then is not kept for the next time.
    const again = await stage.xfer(...stage.runArgs("--num-shards", "1"));
    expect(again.code).toBe(1);
  },
  timeoutMs,
);

test(
  "objects that changed at the source after the listing are named, those of equal size by their MD5",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(40, 3_000);
    const args = stage.runArgs("--num-shards", "2");
    const render = args.map((word) => (word === "local" ? "slurm" : word));
    expect((await stage.xfer(...render, "--runtime", "host", "--rclone-image", "none")).code).toBe(0);
    const [longer = "", other = ""] = keys.slice(10, 12);
    stage.source.put("data", longer, "x".repeat(4_000), { mtime: new Date(1.8e12) });
    const body = (await stage.source.get("data", other)) ?? new Uint8Array();
    stage.source.put(
      "data",
      other,
      body.map((byte) => byte ^ 1),
      { mtime: new Date(1.8e12) },
    );
    const result = await stage.xfer(...args, "--json");
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toMatchObject({
      copied: { objects: 40 },
      verified: false,
      verification: { differs: 2, hash_proven: 38 },
    });
    expect(named(stage.runDir, "differs").sort()).toEqual([longer, other].map(listedName).sort());
  },
  timeoutMs,
);

test(
  "a copy that did not end well, or a destination that cannot be listed, is not verified, and the reason is said",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(30, 3_000);
    const render = stage.runArgs("--num-shards", "1");
    const release = stage.source.inject({
      kinds: ["GET"],
      match: ({ key }) => key === keys[5],
      action: "not-found",
    });
    const failed = await stage.xfer(...render, "--json");
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      verified: false,
      not_verified: "the copy did not end well",
      verification: null,
    });
    release();
    stage.dest.inject({ kinds: ["LIST"], action: "forbidden" });
    const refused = await stage.xfer(...render, "--json");
    expect(refused.code).toBe(1);
    const { verified, not_verified } = JSON.parse(refused.stdout);
    expect(verified).toBe(false);
    expect(not_verified).toContain("AccessDenied");
  },
  timeoutMs,
);

test(
  "--delta verifies the whole manifest, also when there is nothing to copy",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(80, 3_000);
    expect((await stage.xfer(...stage.runArgs("--num-shards", "2"))).code).toBe(0);
    // Same size, other content: a comparison by size finds nothing to copy.
    const changed = keys[20] ?? "";
    const body = (await stage.source.get("data", changed)) ?? new Uint8Array();
    expect(body.length).toBeGreaterThan(0);
    stage.dest.put(
      "copy",
      changed,
      body.map((byte) => byte ^ 1),
    );
    const delta = (dir: string, ...more: string[]) =>
      stage.xfer(
        ...stage.runArgs(
          "--delta",
          "--run-dir",
          join(stage.dir, dir),
          "--num-shards",
          "1",
          "--json",
          ...more,
        ),
      );
    const bySize = await delta("by-size");
    expect(bySize.code).toBe(1);
    expect(JSON.parse(bySize.stdout)).toMatchObject({
      verified: false,
      verification: { differs: 1, hash_proven: 79 },
    });
    const byHash = await delta("by-hash", "--compare", "checksum");
    expect(byHash.code).toBe(0);
    expect(JSON.parse(byHash.stdout)).toMatchObject({
      copied: { objects: 1 },
      verified: true,
      verification: { hash_proven: 80 },
    });
    const nothing = await delta("nothing", "--compare", "checksum");
    expect(nothing.code).toBe(0);
    expect(JSON.parse(nothing.stdout)).toMatchObject({ verified: true, verification: { hash_proven: 80 } });
  },
  timeoutMs,
);

test(
  "between paths: a file of equal size that changed after the listing is named; times that never were kept are no alarm",
  async () => {
    using dir = temporaryDirectory();
    const files = writeTree(join(dir.path, "in"), 40);
    const names = [...files.keys()].filter((name) => (files.get(name)?.body.length ?? 0) > 0);
    const [changed = "", touched = ""] = names;
    const args = ["run", "--source", "in", "--dest", "out", "--num-shards", "1"];
    const local = [...args, "--executor", "local", "--json", "--run-dir"];
    expect((await xfer([...args, "--runtime", "host", "--run-dir", "first"], { cwd: dir.path })).code).toBe(
      0,
    );
    const body = files.get(changed)?.body ?? new Uint8Array();
    writeFileSync(
      join(dir.path, "in", changed),
      body.map((byte) => byte ^ 1),
    );
    const first = await xfer([...local, "first"], { cwd: dir.path });
    expect(first.code).toBe(1);
    expect(JSON.parse(first.stdout)).toMatchObject({
      copied: { objects: 40 },
      verification: { differs: 1, size_only: 39 },
    });
    expect(named(join(dir.path, "first"), "differs")).toEqual([changed]);
    // At the destination all times are others, as on a file system that keeps none; the source is as listed.
    for (const name of files.keys()) utimesSync(join(dir.path, "out", name), new Date(), new Date());
    const second = await xfer([...local, "second", "--delta"], { cwd: dir.path });
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({
      verified: true,
      verification: { differs: 0, size_only: 40 },
    });
    // Touched after it was copied as it was listed: the destination has what was listed.
    const third = await xfer([...local, "third", "--dest", "elsewhere", "--no-verify"], { cwd: dir.path });
    expect(third.code).toBe(0);
    utimesSync(join(dir.path, "in", touched), new Date(), new Date());
    const verified = await xfer(["verify", "--run-dir", "third", "--json"], { cwd: dir.path });
    expect(verified.code).toBe(0);
  },
  timeoutMs,
);

test(
  "a comparison that is interrupted leaves a run that is done and not verified; the same command verifies it",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(50, 3_000);
    const release = stage.dest.inject({ kinds: ["LIST"], action: { delayMs: 3_000 } });
    const running = startXfer(stage.runArgs("--num-shards", "1"), { cwd: stage.dir });
    await until("the comparison", () => stage.dest.counts.LIST === 2 && state(stage.runDir, 0, "done"));
    kill(running.pid, "SIGTERM");
    const stopped = await running.result;
    release();
    expect(stopped.code).toBe(75);
    expect(stopped.stdout).toContain("not verified: stopped by SIGTERM");
    expect(existsSync(join(stage.runDir, "verify.json"))).toBe(false);
    const again = await stage.xfer(...stage.runArgs("--num-shards", "1", "--json"));
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ verified: true });
    expect(stage.dest.counts.PUT).toBe(keys.length);
    rmSync(stage.runDir, { recursive: true });
  },
  timeoutMs,
);

test(
  "where ETags are no MD5s by the user's own word, neither the look nor the comparison asks for each object",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(60, 3_000);
    const conf = join(stage.dir, "kms.conf");
    const kms = `${stage.dest.rcloneSection("dst").trimEnd()}\nserver_side_encryption = aws:kms\n`;
    writeFileSync(conf, `${stage.source.rcloneSection("src")}\n${kms}`, { mode: 0o600 });
    const args = stage.runArgs("--num-shards", "2", "--rclone-config", conf, "--json");
    const first = await stage.xfer(...args);
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({
      verified: true,
      verification: { size_only: 60, hash_proven: 0 },
    });
    expect(stage.dest.counts).toMatchObject({ LIST: 3, HEAD: 0, PUT: 60 });
    await stage.expectEqual(keys);
  },
  timeoutMs,
);
