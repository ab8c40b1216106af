import { beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { sharedCluster } from "../cluster/shared.ts";
import { sampleObjects } from "../data/fill.ts";
import { limitMs } from "../setup/pace.ts";
import { saidIn, until } from "../stage/harness.ts";
import { SlurmStage } from "../stage/slurm-stage.ts";

/** Jobs wait for the requeue delay and for two noisy cores. */
const timeoutMs = limitMs(300_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
}, timeoutMs);

test(
  "an ordinary user's array, in containers: every object arrives; submitting it again copies nothing",
  async () => {
    await using stage = await SlurmStage.start(cluster, "whole");
    const keys = stage.fill(300);
    stage.source.resetCounts();
    const jobId = await stage.submit("--num-shards", "6", "--array-concurrency", "3");
    expect(jobId).toMatch(/^\d+$/);
    // The listing ran through srun in the container: LIST only.
    expect(stage.source.counts.LIST).toBeLessThanOrEqual(3);
    expect(stage.source.counts.HEAD).toBeLessThanOrEqual(2);
    await cluster.waitForJob(jobId, timeoutMs);
    expect(stage.states("fail"), stage.logs()).toEqual([]);
    expect(stage.states("done")).toHaveLength(6);
    expect(await stage.different(keys)).toEqual([]);
    expect(stage.dest.counts.PUT).toBe(300);
    expect(stage.source.counts.GET).toBe(300);
    expect((await cluster.squeue(jobId)).map((task) => task.state)).toEqual(Array(6).fill("COMPLETED"));
    // No credential is in the run directory.
    for (const entry of readdirSync(stage.runDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name === "xfer") continue;
      expect(readFileSync(join(entry.parentPath, entry.name), "utf8")).not.toContain(
        stage.source.secretAccessKey,
      );
    }
    // Verified as an array, shard by shard, by listings; then an object that vanished is found.
    const verify = async () => {
      const submitted = await stage.xfer("verify", "--run-dir", stage.runDir, "--executor", "slurm");
      expect(submitted.stderr).toBe("");
      await cluster.waitForJob(submitted.stdout.trim(), timeoutMs);
      const collected = await stage.xfer("verify", "--run-dir", stage.runDir, "--collect", "--json");
      expect(saidIn(collected.stderr), stage.logs()).toBe("");
      return { code: collected.code, ...(JSON.parse(collected.stdout) as Record<string, unknown>) };
    };
    stage.dest.resetCounts();
    expect(await verify()).toMatchObject({
      code: 0,
      verified: true,
      hash_proven: 300,
      missing: 0,
      differs: 0,
    });
    expect(stage.dest.counts.total - stage.dest.counts.LIST).toBe(0);
    const gone = keys[150] ?? "";
    const body = (await stage.dest.get("copy", gone)) ?? new Uint8Array();
    const mtime = Number(stage.dest.head("copy", gone)?.metadata.mtime);
    stage.dest.remove("copy", gone);
    expect(await verify()).toMatchObject({ code: 1, verified: false, hash_proven: 299, missing: 1 });
    expect(readFileSync(join(stage.runDir, "verify.jsonl"), "utf8")).toContain(JSON.stringify(gone));
    stage.dest.put("copy", gone, body, { mtime: new Date(mtime * 1000) });
    const before = stage.source.counts.total + stage.dest.counts.total;
    const again = await stage.xfer("slurm", "submit", "--run-dir", stage.runDir, "--json");
    const { job_id: secondId } = JSON.parse(again.stdout) as { job_id: string };
    await cluster.waitForJob(secondId, timeoutMs);
    expect((await cluster.squeue(secondId)).map((task) => task.state)).toEqual(Array(6).fill("COMPLETED"));
    expect(stage.source.counts.total + stage.dest.counts.total).toBe(before);
    const noted = readFileSync(join(stage.runDir, "submissions.jsonl"), "utf8").trimEnd().split("\n");
    const ids = noted.map((line) => JSON.parse(line).job_id);
    expect([ids[0], ids.at(-1)]).toEqual([jobId, secondId]);
  },
  timeoutMs,
);

test(
  "to POSIX from a squashfs image, submitted by submit.sh after the run directory was moved",
  async () => {
    await using stage = await SlurmStage.start(cluster, "moved");
    const keys = stage.fill(80);
    const dest = join(stage.dir, "out dir");
    const args = stage.runArgs("--num-shards", "3", "--rclone-image", cluster.imageSqsh, "--dest", dest);
    const rendered = await stage.xfer(...args);
    expect(rendered.stderr).not.toContain("error");
    expect(rendered.code).toBe(0);
    for (const entry of readdirSync(stage.runDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name === "xfer") continue;
      expect(readFileSync(join(entry.parentPath, entry.name), "utf8")).not.toContain(stage.runDir);
    }
    const moved = join(stage.dir, "else where $(touch pwned) 'q'");
    renameSync(stage.runDir, moved);
    const submitted = await cluster.run([join(moved, "submit.sh"), "--parsable"], { asUser: true, cwd: "/" });
    expect(submitted.stderr).toBe("");
    await cluster.waitForJob(submitted.stdout.trim(), timeoutMs);
    const done = readdirSync(join(moved, "state")).filter((name) => name.endsWith(".done"));
    expect(done).toHaveLength(3);
    const bodies = new Map(
      [...sampleObjects(80, 100_000)].map(({ key, body, mtime }) => [key, { body, mtime }]),
    );
    for (const key of keys) {
      const path = join(dest, key);
      const sent = bodies.get(key);
      expect(readFileSync(path).equals(sent?.body ?? new Uint8Array([0])), key).toBe(true);
      expect(statSync(path).mtime.toISOString(), key).toBe(sent?.mtime.toISOString() ?? "");
    }
    expect(existsSync(join(moved, "pwned"))).toBe(false);
    expect(existsSync(stage.runDir)).toBe(false);
  },
  timeoutMs,
);

describe("what a user writes reaches Slurm as it is, and no shell", () => {
  test(
    "hostile job names and roots run nothing",
    async () => {
      await using stage = await SlurmStage.start(cluster, "hostile");
      const dir = join(stage.dir, "in $(touch pwned1) `touch pwned2` 'q' \"d\" #x;y");
      mkdirSync(join(dir, "deep"), { recursive: true });
      writeFileSync(join(dir, "deep", "a b"), "content");
      const name = "job $(touch pwned3) 'q' \"d\" #x; %j é";
      const out = join(stage.dir, "out $HOME");
      const jobId = await stage.submit(
        ...[
          "--source",
          dir,
          "--dest",
          out,
          "--num-shards",
          "1",
          "--job-name",
          name,
          "--sbatch-extras",
          "--comment='a #b $(c)'",
        ],
      );
      const shown = await cluster.run(["squeue", "-h", "-t", "all", "-j", jobId, "-o", "%j|%k"]);
      await cluster.waitForJob(jobId, timeoutMs);
      expect(shown.stdout.trimEnd()).toBe(`${name}|a #b $(c)`);
      expect(readFileSync(join(out, "deep", "a b"), "utf8"), stage.logs()).toBe("content");
      const names = readdirSync(stage.dir, { recursive: true }).map(String);
      expect(names.filter((path) => path.endsWith("pwned") || /pwned\d$/.test(path))).toEqual([]);
    },
    timeoutMs,
  );
});

test(
  "a container that cannot start fails with its own words",
  async () => {
    await using stage = await SlurmStage.start(cluster, "noimage");
    stage.fill(10);
    const args = stage.runArgs(
      "--num-shards",
      "1",
      "--rclone-image",
      join(stage.dir, "none.sqsh"),
      "--no-image-check",
    );
    const result = await stage.xfer(...args);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("listing src:data failed: ");
    expect(result.stderr).toContain(
      `failed: [ERROR] No such file or directory: ${join(stage.dir, "none.sqsh")} (details: `,
    );
    expect(existsSync(join(stage.runDir, "manifest.jsonl"))).toBe(false);
    const errors = readdirSync(join(stage.dir, "xfer-err"));
    expect(errors).toHaveLength(1);
    const log = readFileSync(join(stage.dir, "xfer-err", errors[0] ?? ""), "utf8");
    expect(log).toContain("command: srun --export=ALL -n 1 -c 8 ");
    expect(log).toContain("none.sqsh");
  },
  timeoutMs,
);

test(
  "an image that the user may not read is refused before sbatch; from there on it is submitted",
  async () => {
    await using stage = await SlurmStage.start(cluster, "image");
    const keys = stage.fill(10);
    const image = join(stage.dir, "rclone.sqsh");
    copyFileSync(cluster.imageSqsh, image);
    const rendered = await stage.xfer(...stage.runArgs("--num-shards", "1", "--rclone-image", "rclone.sqsh"));
    expect(rendered.code, rendered.stderr).toBe(0);
    chmodSync(image, 0o600);
    const submit = ["slurm", "submit", "--run-dir", stage.runDir];
    const refused = await stage.xfer(...submit);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toStartWith(
      `xfer: ${image}: the image cannot be read here (EACCES), nothing was submitted`,
    );
    expect((await cluster.run(["squeue", "-h"], { asUser: true })).stdout).not.toContain("xfer");
    expect(existsSync(join(stage.runDir, "submissions.jsonl"))).toBe(false);
    chmodSync(image, 0o644);
    const submitted = await stage.xfer(...submit);
    expect(submitted).toMatchObject({ code: 0, stderr: "" });
    await cluster.waitForJob(submitted.stdout.trim(), timeoutMs);
    expect(stage.states("done"), stage.logs()).toHaveLength(1);
    expect(await stage.different(keys)).toEqual([]);
  },
  timeoutMs,
);

test(
  "a job that is suspended for longer than any silence goes on where it was, and spends nothing",
  async () => {
    await using stage = await SlurmStage.start(cluster, "suspended");
    const keys = stage.fill(60);
    const release = stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 500 } });
    const jobId = await stage.submit("--num-shards", "1", "--rclone-flags", "--transfers 1");
    await until("some objects to arrive", () => stage.dest.counts.PUT > 5, timeoutMs);
    const suspended = await cluster.run(["scontrol", "suspend", jobId]);
    expect(suspended.stderr).toBe("");
    const before = stage.dest.counts.PUT;
    // The silence of a copy that has begun is a minute.
    await Bun.sleep(63_000);
    expect(stage.dest.counts.PUT - before).toBeLessThanOrEqual(1);
    release();
    expect((await cluster.run(["scontrol", "resume", jobId])).stderr).toBe("");
    await cluster.waitForJob(jobId, timeoutMs);
    expect(stage.states("done"), stage.logs()).toHaveLength(1);
    expect(stage.states("attempt")).toMatchObject([{ attempt: 1, spent: 0 }]);
    expect(await stage.different(keys)).toEqual([]);
    expect(stage.dest.counts.PUT).toBeLessThanOrEqual(61);
  },
  timeoutMs,
);

test(
  "a store that takes four requests at a time: rclone's step is started anew with fewer transfers, and nothing is spent",
  async () => {
    await using stage = await SlurmStage.start(cluster, "throttled");
    const keys = stage.fill(250);
    stage.dest.inject({ kinds: ["PUT"], action: "slowdown", beyond: 4 });
    stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 40 } });
    const jobId = await stage.submit("--num-shards", "1");
    await cluster.waitForJob(jobId, timeoutMs);
    expect(stage.states("done"), stage.logs()).toHaveLength(1);
    expect(stage.states("attempt")).toMatchObject([{ attempt: 1, spent: 0, other_stops: 0 }]);
    const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
    expect(log).toMatch(/requests refused \(\d+%\): --transfers 32 -> \d+ of 32/);
    expect(stage.dest.counts.errors["503"]).toBeLessThanOrEqual(100);
    expect(await stage.different(keys)).toEqual([]);
  },
  timeoutMs,
);
