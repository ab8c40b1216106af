import { beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { sharedCluster } from "../cluster/shared.ts";
import { limitMs } from "../setup/pace.ts";
import { until } from "../stage/harness.ts";
import { heldText } from "../stage/json-schemas.ts";
import { SlurmStage } from "../stage/slurm-stage.ts";

/** Jobs wait for two noisy cores. */
const timeoutMs = limitMs(300_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
}, timeoutMs);

test(
  "on a cluster: what runs and what waits, then xfer wait ends with the array",
  async () => {
    await using stage = await SlurmStage.start(cluster, "status");
    const keys = stage.fill(180);
    // A minute a shard, unless it is released.
    const release = stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 1_000 } });
    const slowly = ["--rclone-flags", "--transfers 1"];
    const jobId = await stage.submit("--num-shards", "3", "--array-concurrency", "1", ...slowly);
    await until("an agent at work", () => stage.states("attempt").length > 0);
    const status = async () => {
      const result = await stage.xfer("status", "--run-dir", stage.runDir, "--json");
      expect(await heldText(result.stdout)).toEqual({ names: ["xfer.status.v1"], problems: [] });
      return { code: result.code, status: JSON.parse(result.stdout) };
    };
    const seen = await status();
    expect(seen.code).toBe(75);
    expect(seen.status).toMatchObject({
      slurm: true,
      jobs: [{ job_id: jobId, kind: "copy", running: 1, pending: 2, limit: 1 }],
      shards: { total: 3, running: 1, waiting: 2, done: 0, failed: 0 },
      next: { kind: "wait" },
    });
    const words = ["status", "--run-dir", stage.runDir, "--watch", "--auto-throttle", "--min", "2"];
    const watching = stage.xfer(...words, "--max", "2");
    await until("the limit to be raised", async () => {
      const { jobs } = (await status()).status;
      return jobs[0]?.limit === 2;
    });
    const other = await stage.xfer("throttle", "--auto", "--run-dir", stage.runDir);
    expect([other.code, other.stdout]).toEqual([0, expect.stringContaining("it is throttled already, by ")]);
    const waiting = stage.xfer("wait", "--run-dir", stage.runDir);
    release();
    const waited = await waiting;
    expect([waited.code, waited.stdout.split("\n")[0]]).toEqual([0, "shards 3: 3 done"]);
    const watched = await watching;
    expect([watched.code, watched.stderr]).toEqual([
      ...[0, expect.stringContaining("2 to 2 tasks at a time; 2 since ")],
    ]);
    expect(watched.stderr).toContain(" UTC: it begins, from 2 to 2");
    expect(readFileSync(join(stage.runDir, "events.jsonl"), "utf8")).toContain(
      "2 tasks at a time: it begins",
    );
    expect(readdirSync(join(stage.runDir, "state")).filter((name) => name.includes("throttle"))).toEqual([]);
    expect(await stage.different(keys)).toEqual([]);
    const done = await status();
    expect([done.code, done.status.proven.objects, done.status.next.kind]).toEqual([0, 180, "verify"]);
  },
  timeoutMs,
);

test(
  "an array that was cancelled is told as stopped, with the command that goes on",
  async () => {
    await using stage = await SlurmStage.start(cluster, "cancelled");
    stage.fill(30);
    stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 2_000 } });
    const jobId = await stage.submit("--num-shards", "3", "--array-concurrency", "1");
    await until("an agent at work", () => stage.states("attempt").length > 0);
    await cluster.run(["scancel", jobId]);
    await cluster.waitForJob(jobId, timeoutMs);
    const { code, stdout } = await stage.xfer("status", "--run-dir", stage.runDir, "--json");
    expect(code).toBe(75);
    expect(JSON.parse(stdout)).toMatchObject({
      shards: { stopped: 3, running: 0, waiting: 0 },
      next: { kind: "start-again", text: expect.stringContaining("xfer slurm submit") },
    });
  },
  timeoutMs,
);
