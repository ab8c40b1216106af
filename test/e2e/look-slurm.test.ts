import { beforeAll, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { sharedCluster } from "../cluster/shared.ts";
import { limitMs } from "../setup/pace.ts";
import { SlurmStage } from "../stage/slurm-stage.ts";

const timeoutMs = limitMs(300_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
}, timeoutMs);

/** Words for srun that make it note each start of a step with the rclone command that it is for, and the notes since. */
function notedSteps(stage: SlurmStage): { words: string; steps: () => Record<string, number> } {
  const notes = join(stage.dir, "steps");
  const script = join(stage.dir, "note-step.sh");
  writeFileSync(notes, "");
  chmodSync(notes, 0o666);
  writeFileSync(
    script,
    `#!/bin/sh\ncase "$*" in *lsjson*) echo lsjson;; *copy*) echo copy;; *) echo "$*";; esac >> ${notes}\n`,
  );
  chmodSync(script, 0o755);
  const steps = () => {
    const found: Record<string, number> = {};
    for (const name of readFileSync(notes, "utf8").split("\n").filter(Boolean)) {
      found[name] = (found[name] ?? 0) + 1;
    }
    writeFileSync(notes, "");
    return found;
  };
  return { words: `--prolog=${script}`, steps };
}

test(
  "one step looks for the whole array; one verifies each shard; a look that is refused fails each with its class",
  async () => {
    await using stage = await SlurmStage.start(cluster, "look");
    const keys = stage.fill(240);
    const { words, steps } = notedSteps(stage);
    const args = ["--num-shards", "4", "--array-concurrency", "4", "--pyxis-extra", words];
    const first = await stage.submit(...args);
    await cluster.waitForJob(first, timeoutMs);
    expect(stage.states("done"), stage.logs()).toHaveLength(4);
    // The source's listing, the look, and a copy for each shard.
    expect(steps()).toEqual({ lsjson: 2, copy: 4 });

    const verify = await stage.xfer("verify", "--run-dir", stage.runDir, "--executor", "slurm");
    await cluster.waitForJob(verify.stdout.trim(), timeoutMs);
    const collected = await stage.xfer("verify", "--run-dir", stage.runDir, "--collect", "--json");
    expect(JSON.parse(collected.stdout)).toMatchObject({
      verified: true,
      hash_proven: 240,
      rclone_version: expect.stringMatching(/^1\./),
    });
    expect(steps()).toEqual({ lsjson: 4 });

    rmSync(join(stage.runDir, "state"), { recursive: true });
    for (const key of keys.slice(0, 5)) stage.dest.remove("copy", key);
    stage.dest.resetCounts();
    const release = stage.dest.inject({ kinds: ["LIST"], action: "forbidden" });
    const submit = async () => (await stage.xfer("slurm", "submit", "--run-dir", stage.runDir)).stdout.trim();
    await cluster.waitForJob(await submit(), timeoutMs);
    const failed = stage.states("fail");
    expect(
      failed.map((one) => [one.class, one.final, one.proven]),
      stage.logs(),
    ).toEqual(Array(4).fill(["auth", true, 0]));
    expect(stage.dest.counts.PUT).toBe(0);
    expect(existsSync(join(stage.runDir, "state", "destination.json"))).toBe(false);
    expect(steps().copy).toBeUndefined();

    release();
    await cluster.waitForJob(await submit(), timeoutMs);
    expect(stage.states("done"), stage.logs()).toHaveLength(4);
    expect(stage.dest.counts.PUT).toBe(5);
    expect(steps().lsjson).toBe(1);
    expect(await stage.different(keys)).toEqual([]);
  },
  timeoutMs,
);

test(
  "an array whose bucket is missing copies nothing, and makes it once in a container when asked",
  async () => {
    await using stage = await SlurmStage.start(cluster, "bucket");
    const keys = stage.fill(40);
    const args = ["--num-shards", "2", "--dest", "dst:absent/set"];
    await cluster.waitForJob(await stage.submit(...args), timeoutMs);
    const told = "bucket absent does not exist at the destination: create it, or use --create-bucket";
    expect(
      stage.states("fail").map((one) => [one.class, one.final, one.message]),
      stage.logs(),
    ).toEqual(Array(2).fill(["config", true, `20 objects not proven: ${told}`]));
    expect(stage.dest.counts).toMatchObject({ BUCKET: 0, PUT: 0 });
    await cluster.waitForJob(await stage.submit(...args, "--create-bucket"), timeoutMs);
    expect(stage.states("done"), stage.logs()).toHaveLength(2);
    expect(stage.dest.counts).toMatchObject({ BUCKET: 1, PUT: keys.length });
    expect(stage.dest.keys("absent").sort()).toEqual(keys.map((key) => `set/${key}`).sort());
  },
  timeoutMs,
);
