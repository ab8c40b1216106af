import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { sharedCluster } from "../cluster/shared.ts";
import { limitMs } from "../setup/pace.ts";
import { ensureSshPackages, makeFarAccount, removeFarAccount } from "../ssh/account.ts";
import { type SshServer, sshFor, startSshServer } from "../ssh/sshd.ts";
import { startXfer, temporaryDirectory, until } from "../stage/harness.ts";
import { SlurmStage } from "../stage/slurm-stage.ts";

/** Jobs wait for two noisy cores. */
const timeoutMs = limitMs(300_000);

let cluster: Cluster;
beforeAll(async () => {
  await ensureSshPackages();
  cluster = await sharedCluster();
}, timeoutMs);
afterAll(removeFarAccount);

/** A workstation with a profile `weka` of the cluster's user behind a real sshd, whose shells find the cluster. */
async function workstationOf(
  stage: SlurmStage,
  dir: string,
  more: object = {},
  others: readonly SshServer[] = [],
) {
  // A locked account is refused by sshd.
  Bun.spawnSync(["usermod", "--password", "*", cluster.user.name]);
  const set = Object.entries(cluster.env).map(([name, value]) => `${name}="${value}"`);
  const server = await startSshServer(cluster.user, [`SetEnv ${set.join(" ")}`]);
  const runRoot = join(stage.dir, "run root");
  const clusters = join(dir, ".config", "xfer", "clusters");
  mkdirSync(clusters, { recursive: true });
  const profile = { schema: "xfer.cluster.v1", name: "weka", host: server.host, run_root: runRoot, ...more };
  writeFileSync(join(clusters, "weka.json"), JSON.stringify(profile));
  const env = { XFER_SSH: sshFor([server, ...others], dir), TMPDIR: dir };
  const start = (...args: string[]) => startXfer([...args, "--cluster", "weka"], { cwd: dir, env });
  return { server, runRoot, start, run: (...args: string[]) => start(...args).result };
}

test(
  "from a workstation: list, shard and submit at the cluster, fetch what it did, and verify",
  async () => {
    await using stage = await SlurmStage.start(cluster, "workstation");
    using temp = temporaryDirectory();
    const keys = stage.fill(120);
    const { server, runRoot, run } = await workstationOf(stage, temp.path);
    await using _ = server;
    const words = stage.runArgs("--submit", "--num-shards", "4", "--array-concurrency", "2");
    const at = words.indexOf("--run-dir");
    const submitted = await run(...words.with(at + 1, "r"));
    expect(submitted.code, submitted.stderr).toBe(0);
    const jobId = submitted.stdout.trim();
    expect(jobId).toMatch(/^\d+$/);
    await cluster.waitForJob(jobId, timeoutMs);
    expect(await stage.different(keys)).toEqual([]);
    // The run directory points at the one binary of the cluster.
    expect(readdirSync(join(runRoot, "r", "bin"))).toEqual(["agent-path"]);
    const pulled = await run("pull", "--run-dir", "r", "--json");
    expect(pulled.code, pulled.stderr).toBe(0);
    expect(JSON.parse(pulled.stdout)).toMatchObject({ schema: "xfer.pulled.v1", unchanged: 0 });
    for (const path of [
      "manifest.jsonl",
      "state/shard_3.done",
      "state/shard_0.journal",
      "submissions.jsonl",
    ]) {
      const [here, there] = [join(temp.path, "r", path), join(runRoot, "r", path)];
      expect(readFileSync(here).equals(readFileSync(there))).toBeTrue();
    }
    const again = JSON.parse((await run("pull", "--run-dir", "r", "--json")).stdout);
    expect(again).toMatchObject({ files: 0, bytes: 0 });
    const verified = await run("verify", "--run-dir", "r");
    expect([verified.code, verified.stdout.trimEnd().split("\n").at(-1)]).toEqual([0, "verified"]);
  },
  timeoutMs,
);

test(
  "a run that was made here is staged, submitted there, and not staged over a live one of other shards",
  async () => {
    await using stage = await SlurmStage.start(cluster, "staged");
    using temp = temporaryDirectory();
    const keys = stage.fill(60);
    const { server, runRoot, run } = await workstationOf(stage, temp.path);
    await using _ = server;
    const here = (...args: string[]) => startXfer(args, { cwd: temp.path }).result;
    const build = await here(
      ...["manifest", "build", "--source", "src:data", "--dest", "dst:copy", "--out", "run/manifest.jsonl"],
      ...["--runtime", "host", "--rclone-config", stage.conf],
    );
    expect(build.code, build.stderr).toBe(0);
    const shard = (n: string) =>
      here("manifest", "shard", "--in", "run/manifest.jsonl", "--outdir", "run/shards", "--num-shards", n);
    const renderWords = [
      ...["slurm", "render", "--run-dir", "run", "--rclone-config", stage.conf, "--time-limit", "10"],
      ...["--rclone-image", cluster.imageDir, "--cpus-per-task", "1", "--mem", "500M"],
    ];
    const render = () => here(...renderWords);
    const sharded = await shard("3");
    expect(sharded.code, sharded.stderr).toBe(0);
    // It may be rendered there, or here.
    cpSync(join(temp.path, "run"), join(temp.path, "there"), { recursive: true });
    for (const words of [["stage", "--run-dir", "there"], renderWords.with(3, "there")]) {
      const result = await run(...words);
      expect(result.code, result.stderr).toBe(0);
    }
    const rendering =
      "bin config.resolved.json logs manifest.jsonl sbatch_array.sh shards state submit.sh worker.sh";
    expect(readdirSync(join(runRoot, "there")).sort()).toEqual(rendering.split(" "));
    const rendered = await render();
    expect(rendered.code, rendered.stderr).toBe(0);
    const staged = await run("stage", "--run-dir", "run");
    expect(staged.code, staged.stderr).toBe(0);
    expect(staged.stdout).toMatch(/^staged run to weka:.*\/run: 9 files, .*; 0 files unchanged\n$/);
    expect(existsSync(join(runRoot, "run", "bin", "xfer"))).toBeFalse();
    expect((await run("stage", "--run-dir", "run")).stdout).toContain(": 0 files, 0 B; 9 files unchanged");
    const submitted = await run("slurm", "submit", "--run-dir", "run");
    expect(submitted.code, submitted.stderr).toBe(0);
    await cluster.waitForJob(submitted.stdout.trim(), timeoutMs);
    expect(await stage.different(keys)).toEqual([]);
    Bun.spawnSync(["rm", "-r", join(temp.path, "run", "shards")]);
    for (const result of [await shard("2"), await render()]) expect(result.code, result.stderr).toBe(0);
    const refused = await run("stage", "--run-dir", "run");
    expect(refused.code, refused.stdout).toBe(2);
    expect(refused.stderr).toContain("holds the state of a run with other shards");
  },
  timeoutMs,
);

test(
  "one command from a workstation, from the listing to a verified destination; the connection is cut while it waits",
  async () => {
    await using stage = await SlurmStage.start(cluster, "watched");
    using temp = temporaryDirectory();
    const keys = stage.fill(80);
    const { server, runRoot, start, run } = await workstationOf(stage, temp.path);
    await using _ = server;
    stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 300 } });
    const all = stage.runArgs("--submit", "--watch", "--num-shards", "4", "--array-concurrency", "2");
    const words = all.with(all.indexOf("--run-dir") + 1, "r");
    const first = start(...words);
    await until("the first objects", () => stage.dest.keys("copy").length > 5);
    await server.cut();
    const lost = await first.result;
    expect(lost.code, lost.stdout).toBe(75);
    expect(lost.stderr).toContain("the command goes on at far");
    const end = await run(...words);
    expect(end.code, end.stderr).toBe(0);
    expect(end.stdout).toMatch(
      /^listed +80 objects .*\ncopied +80 objects .*\n(.*\n)*verified: 80 by size and MD5/,
    );
    expect(await stage.different(keys)).toEqual([]);
    // One array was submitted.
    expect(
      readFileSync(join(runRoot, "r", "submissions.jsonl"), "utf8")
        .trimEnd()
        .split("\n"),
    ).toHaveLength(1);
    expect(stage.dest.counts.PUT).toBe(80);
  },
  timeoutMs,
);

test(
  "a bucket that the cluster mounts is listed there, and copied from the remote",
  async () => {
    await using stage = await SlurmStage.start(cluster, "mounted");
    using temp = temporaryDirectory();
    const mount = join(stage.dir, "mnt", "data");
    const keys = ["a.txt", "deep/b c.txt", "deep/er/größe.txt"];
    for (const [i, key] of keys.entries()) {
      const body = Buffer.from(key.repeat(100 + i));
      mkdirSync(join(mount, key, ".."), { recursive: true });
      writeFileSync(join(mount, key), body);
      stage.source.put("data", key, body, { mtime: new Date(1_700_000_000_000 + i * 1000) });
    }
    const mounts = [{ root: "src:data", path: mount }];
    const { server, runRoot, run } = await workstationOf(stage, temp.path, { mounts });
    await using _ = server;
    const all = stage.runArgs("--submit", "--watch", "--num-shards", "1");
    const words = all.with(all.indexOf("--run-dir") + 1, "r");
    stage.source.resetCounts();
    const end = await run(...words);
    expect(end.code, end.stderr).toBe(0);
    expect(end.stderr).toContain(`listing ${mount} in place of src:data`);
    expect(stage.source.counts.LIST).toBe(0);
    expect(stage.source.counts.GET).toBe(keys.length);
    const records = readFileSync(join(runRoot, "r", "manifest.jsonl"), "utf8")
      .trimEnd()
      .split("\n");
    expect(records.map((line) => JSON.parse(line).source).sort()).toEqual(
      keys.map((key) => `src:data/${key}`),
    );
    for (const key of keys) {
      expect(stage.dest.get("copy", key)).toEqual(stage.source.get("data", key));
    }
    const itself = await run(...words.with(words.indexOf("r"), "r2"), "--no-posix-list");
    expect(itself.code, itself.stderr).toBe(0);
    expect(stage.source.counts.LIST).toBeGreaterThan(0);
  },
  timeoutMs,
);

test(
  "listed at one cluster, where the bucket is mounted, and copied at another; told first, step by step",
  async () => {
    await using stage = await SlurmStage.start(cluster, "two");
    using temp = temporaryDirectory();
    // Another host's sshd, user and home: what is mounted there cannot be seen by the user of the cluster that copies.
    const account = makeFarAccount("/bin/sh");
    chmodSync(account.home, 0o700);
    const mount = join(account.home, "mnt");
    const keys = ["one", "deep/two"];
    for (const key of keys) {
      mkdirSync(join(mount, key, ".."), { recursive: true });
      writeFileSync(join(mount, key), `content of ${key}`);
      stage.source.put("data", key, Buffer.from(`content of ${key}`), { mtime: new Date(1_700_000_000_000) });
    }
    await using there = await startSshServer(account, [], "mounts");
    const { server, runRoot, run } = await workstationOf(stage, temp.path, {}, [there]);
    await using _ = server;
    const storeRoot = join(account.home, "store runs");
    const conf = join(account.home, "rclone.conf");
    writeFileSync(conf, readFileSync(stage.conf), { mode: 0o600 });
    Bun.spawnSync(["chown", "-R", `${account.uid}:${account.gid}`, account.home]);
    const store = {
      ...{ schema: "xfer.cluster.v1", name: "store", host: there.host, run_root: storeRoot },
      ...{ runtime: "host", rclone_config: conf, mounts: [{ root: "src:data", path: mount }] },
    };
    const profile = join(temp.path, ".config", "xfer", "clusters", "store.json");
    writeFileSync(profile, JSON.stringify(store), { mode: 0o600 });
    const all = stage.runArgs("--submit", "--watch", "--num-shards", "1", "--build-cluster", "store");
    const words = all.with(all.indexOf("--run-dir") + 1, "r");
    const plan = await run(...words, "--dry-run");
    expect([plan.code, plan.stderr]).toEqual([0, ""]);
    expect(plan.stdout).toContain(`at store, in ${storeRoot}: xfer manifest build`);
    expect([existsSync(storeRoot), existsSync(runRoot)]).toEqual([false, false]);
    stage.source.resetCounts();
    const end = await run(...words);
    expect(end.code, end.stderr).toBe(0);
    expect(end.stderr).toContain(`listing ${mount} in place of src:data`);
    expect(stage.source.counts.LIST).toBe(0);
    for (const key of keys)
      expect(await stage.dest.get("copy", key)).toEqual(await stage.source.get("data", key));
    const manifests = [storeRoot, runRoot, temp.path].map((dir) =>
      readFileSync(join(dir, "r", "manifest.jsonl"), "utf8"),
    );
    expect(new Set(manifests).size).toBe(1);
    expect(existsSync(join(storeRoot, "r", "shards"))).toBeFalse();
  },
  timeoutMs,
);

test("a dry run tells the steps, and does none of them", async () => {
  using temp = temporaryDirectory();
  mkdirSync(join(temp.path, "set"));
  writeFileSync(join(temp.path, "set", "a"), "a");
  const words = ["run", "--executor", "local", "--source", "set", "--dest", "copy", "--run-dir", "r", "-n"];
  const { code, stdout, stderr } = await startXfer(words, { cwd: temp.path }).result;
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`1. list ${join(temp.path, "set")} into r/manifest.jsonl\n`);
  expect(readdirSync(temp.path)).toEqual(["set"]);
});
