import { expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../data/fill.ts";
import { S3Endpoint } from "../s3/endpoint.ts";
import { rclones } from "../setup/rclones.ts";
import { Stage, state, timeoutMs, xfer } from "../stage/harness.ts";

const objects = 2_000;
const shards = 8;

/** Small objects in so many prefixes. */
function fill(stage: Stage, prefixes: number): string[] {
  const random = seededRandom(prefixes);
  const keys: string[] = [];
  for (let i = 0; i < objects; i++) {
    const name = `object-${String(i).padStart(5, "0")}`;
    const key = prefixes === 1 ? name : `set/prefix-${String(i % prefixes).padStart(2, "0")}/${name}`;
    stage.source.put("data", key, `${key} ${"x".repeat(Math.floor(random() * 500))}`, {
      mtime: new Date(1.7e12 + i),
    });
    keys.push(key);
  }
  stage.source.resetCounts();
  stage.dest.resetCounts();
  return keys;
}

const total = (stage: Stage) => stage.source.counts.total + stage.dest.counts.total;

for (const [what, prefixes] of [
  ["50 prefixes", 50],
  ["one flat prefix", 1],
] as const) {
  test(
    `2,000 objects in ${what}: two requests an object; again, none; with a lost state, some LISTs`,
    async () => {
      await using stage = await Stage.start();
      const keys = fill(stage, prefixes);
      const args = stage.runArgs("--num-shards", String(shards));
      const first = await stage.xfer(...args, "--verify", "--json");
      expect(first.code).toBe(0);
      expect(JSON.parse(first.stdout)).toMatchObject({
        verification: { verified: true, hash_proven: objects },
      });
      await stage.expectEqual(keys);
      expect(stage.source.counts.GET).toBe(objects);
      expect(stage.dest.counts.PUT).toBe(objects);
      expect(total(stage)).toBeLessThanOrEqual(2.05 * objects);
      stage.source.resetCounts();
      stage.dest.resetCounts();
      expect((await stage.xfer(...args)).code).toBe(0);
      expect(total(stage)).toBe(0);
      rmSync(join(stage.runDir, "state"), { recursive: true });
      const again = await stage.xfer(...args, "--json");
      expect(again.code).toBe(0);
      expect(JSON.parse(again.stdout)).toMatchObject({ copied: { objects: 0 }, unchanged: { objects } });
      expect(stage.dest.counts.PUT).toBe(0);
      expect(total(stage)).toBeLessThanOrEqual(0.05 * objects);
    },
    timeoutMs,
  );
}

test(
  "a new run to a destination that holds most objects already copies only the rest",
  async () => {
    await using stage = await Stage.start();
    const keys = fill(stage, 10);
    expect((await stage.xfer(...stage.runArgs("--num-shards", "2"))).code).toBe(0);
    for (const key of keys.slice(0, 30)) stage.dest.remove("copy", key);
    // Same size, other bytes: only a hash can tell.
    const changed = keys[100] ?? "";
    const body = (await stage.source.get("data", changed)) ?? new Uint8Array();
    stage.dest.put("copy", changed, new Uint8Array(body.length), { mtime: new Date(1.7e12 + 100) });
    stage.dest.resetCounts();
    const second = join(stage.dir, "second");
    const result = await stage.xfer(...stage.runArgs("--num-shards", "2", "--run-dir", second, "--json"));
    expect(JSON.parse(result.stdout)).toMatchObject({
      copied: { objects: 31 },
      unchanged: { objects: objects - 31 },
    });
    expect(stage.dest.counts.PUT).toBe(31);
    await stage.expectEqual(keys);
  },
  timeoutMs,
);

test(
  "objects without a hash to compare are compared by rclone, size and time, not copied again",
  async () => {
    await using stage = await Stage.start();
    const keys: string[] = [];
    for (let i = 0; i < 20; i++) {
      // Uploaded in parts: the ETag is no MD5.
      const body = new Uint8Array(300_000).fill(i);
      stage.source.put("data", `large-${i}`, body, { mtime: new Date(1.7e12 + i), partSizeBytes: 100_000 });
      keys.push(`large-${i}`);
    }
    const args = stage.runArgs("--num-shards", "1", "--hash", "off");
    expect((await stage.xfer(...args)).code).toBe(0);
    rmSync(join(stage.runDir, "state"), { recursive: true });
    stage.dest.resetCounts();
    const again = await stage.xfer(...args, "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ copied: { objects: 0 }, unchanged: { objects: 20 } });
    expect(stage.dest.counts.PUT).toBe(0);
    await stage.expectEqual(keys);
  },
  timeoutMs,
);

test(
  "source and destination on one endpoint: the server copies, large objects in parts",
  async () => {
    await using stage = await Stage.start();
    const random = seededRandom(3);
    const sizes = [0, 10, 20_000, 12_000_000];
    sizes.forEach((size, i) => {
      const body = new Uint8Array(size).map(() => random() * 256);
      stage.source.put("data", `k${i}`, body, { mtime: new Date(1.7e12 + i) });
    });
    stage.source.createBucket("copy");
    for (const [name, dest] of [
      ["one remote", "src:copy"],
      ["two names of one account", "src2:copy2"],
    ] as const) {
      stage.source.createBucket(dest.split(":")[1] ?? "");
      const conf = join(stage.dir, `${name}.conf`);
      await Bun.write(conf, `${stage.source.rcloneSection("src")}\n${stage.source.rcloneSection("src2")}\n`);
      stage.source.resetCounts();
      const flags = "--transfers 4 --retries 1 --s3-copy-cutoff 5M --s3-chunk-size 5M";
      const args = [
        "run",
        "--executor",
        "local",
        "--source",
        "src:data",
        "--dest",
        dest,
        "--rclone-config",
        conf,
      ];
      const run = await xfer([...args, "--run-dir", name, "--num-shards", "1", "--rclone-flags", flags], {
        cwd: stage.dir,
      });
      expect(run.stderr).not.toContain("error");
      expect(run.code).toBe(0);
      // No byte passed this machine.
      expect(stage.source.counts.GET).toBe(0);
      expect(stage.source.counts.PUT + stage.source.counts.PART).toBe(0);
      expect(stage.source.counts.COPY).toBeGreaterThanOrEqual(4);
      for (const [i, size] of sizes.entries()) {
        const copied = await stage.source.get(dest.split(":")[1] ?? "", `k${i}`);
        expect(copied?.length).toBe(size);
        expect(copied).toEqual((await stage.source.get("data", `k${i}`)) ?? new Uint8Array());
      }
    }
  },
  timeoutMs,
);

test(
  "S3 to a file system: one GET an object with either rclone, and names that begin alike keep their content",
  async () => {
    for (const { name, dir } of await rclones()) {
      await using stage = await Stage.start();
      const stem = "long-name-of-a-sample-".repeat(6);
      const keys = Array.from({ length: 200 }, (_, i) => `set/${stem}${String(i).padStart(5, "0")}.dat`);
      const bodyOf = (key: string) => key.padEnd(2_000, key);
      const mtime = new Date(1.7e12);
      for (const key of keys) stage.source.put("data", key, bodyOf(key), { mtime });
      stage.source.resetCounts();
      const files = join(stage.dir, "files");
      const args = stage.runArgs("--num-shards", "1", "--dest", files);
      const run = await xfer(args, { cwd: stage.dir, env: { PATH: `${dir}:${process.env.PATH ?? ""}` } });
      expect({ name, ...run }).toMatchObject({ name, code: 0 });
      expect({ name, ...stage.source.counts }).toMatchObject({ name, GET: keys.length, HEAD: 0 });
      expect(keys.filter((key) => readFileSync(join(files, key), "utf8") !== bodyOf(key))).toEqual([]);
    }
  },
  timeoutMs,
);

test(
  "large objects go up in parts and arrive whole; the plan and its reason are in the log and in .progress",
  async () => {
    await using stage = await Stage.start();
    const random = seededRandom(4);
    const body = new Uint8Array(13_000_000).map(() => random() * 256);
    stage.source.put("data", "large", body, { mtime: new Date(1.7e12) });
    const flags = "--s3-upload-cutoff 5M --s3-chunk-size 5M";
    const run = await stage.xfer(...stage.runArgs("--num-shards", "1", "--rclone-flags", flags));
    expect(run.code).toBe(0);
    expect(stage.dest.counts.PART).toBe(3);
    await stage.expectEqual(["large"]);
    const progress = readFileSync(join(stage.runDir, "state", "shard_0.progress"), "utf8");
    expect(progress.length).toBeLessThan(2048);
    expect(state(stage.runDir, 0, "progress")).toMatchObject({
      plan: "s3 to s3; the destination is not asked first; no HEAD before the GET",
    });
    const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
    expect(log).toContain(
      "plan: s3 to s3; the destination is not asked first; no HEAD before the GET: rclone copy ",
    );
    expect(readdirSync(join(stage.runDir, "state")).sort()).toEqual([
      ...["destination.json", "shard_0.attempt", "shard_0.done", "shard_0.journal", "shard_0.progress"],
      "shard_0.samples",
    ]);
  },
  timeoutMs,
);

test(
  "a remote that wraps S3 (crypt) gets a plan that is safe for it",
  async () => {
    await using stage = await Stage.start();
    const keys = fill(stage, 3).slice(0, 40);
    await using plain = await S3Endpoint.start({ buckets: ["plain"] });
    const obscured = Bun.spawnSync(["rclone", "obscure", "secret"]).stdout.toString().trim();
    const conf = join(stage.dir, "crypt.conf");
    const crypt = `[secret]\ntype = crypt\nremote = dst:copy/box\npassword = ${obscured}\n`;
    await Bun.write(
      conf,
      `${stage.source.rcloneSection("src")}\n${stage.dest.rcloneSection("dst")}\n${plain.rcloneSection("plain")}\n${crypt}`,
    );
    const run = (source: string, dest: string, dir: string) =>
      xfer(
        [
          ...["run", "--executor", "local", "--source", source, "--dest", dest, "--rclone-config", conf],
          ...["--run-dir", dir, "--num-shards", "2"],
        ],
        { cwd: stage.dir },
      );
    const up = await run("src:data", "secret:", "up");
    expect(up.stderr).not.toContain("error");
    expect(up.code).toBe(0);
    expect(stage.dest.keys("copy").some((key) => key.includes("object-00001"))).toBe(false);
    expect((await run("secret:", "plain:plain", "down")).code).toBe(0);
    for (const key of keys) {
      expect(await plain.get("plain", key)).toEqual(
        (await stage.source.get("data", key)) ?? new Uint8Array(),
      );
    }
  },
  timeoutMs,
);
