import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, startCluster } from "../cluster/cluster.ts";
import { processesWith, state, until } from "./harness.ts";
import { SlurmStage, startSlow } from "./slurm-stage.ts";

/** Jobs wait for the requeue delay, for lost nodes and for two noisy cores. */
const timeoutMs = 300_000;

/** A cluster of its own: few array indices, two partitions of which one preempts, and nodes that go down. */
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({
    config: { MaxArraySize: "5", PreemptType: "preempt/partition_prio", PreemptMode: "REQUEUE" },
    extraLines: [
      "PartitionName=urgent Nodes=n[1-2] MaxTime=INFINITE DefaultTime=60 State=UP PriorityTier=100",
    ],
  });
}, timeoutMs);
afterAll(() => cluster.stop(), timeoutMs);

async function expectWhole(stage: SlurmStage, keys: readonly string[], shards: number): Promise<void> {
  expect(stage.states("fail"), stage.logs()).toEqual([]);
  expect(stage.states("done"), stage.logs()).toHaveLength(shards);
  expect(await stage.different(keys)).toEqual([]);
  await until("every process of the run to end", () => processesWith(stage.dir).length === 0, 60_000);
}

test(
  "more shards than the cluster's MaxArraySize: tasks carry several, and one that fails does not hold up the others",
  async () => {
    await using stage = await SlurmStage.start(cluster, "packed");
    const keys = stage.fill(110);
    const gone = keys.at(-1) ?? "";
    const rendered = await stage.xfer(...stage.runArgs("--num-shards", "11"));
    expect(rendered.code).toBe(0);
    stage.source.remove("data", gone);
    const submitted = await stage.xfer("slurm", "submit", "--run-dir", stage.runDir);
    expect(submitted.stderr).toBe("");
    const jobId = submitted.stdout.trim();
    await cluster.waitForJob(jobId, timeoutMs);
    const tasks = await cluster.squeue(jobId);
    expect(tasks.map(({ taskId }) => taskId).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(tasks.map(({ state }) => state).sort()).toEqual([...Array(4).fill("COMPLETED"), "FAILED"]);
    expect(stage.states("done"), stage.logs()).toHaveLength(10);
    expect(stage.states("fail")).toMatchObject([{ class: "missing", errors: [{ path: gone }] }]);
    expect(await stage.different(keys)).toEqual([gone]);
    const line = JSON.parse(readFileSync(join(stage.runDir, "submissions.jsonl"), "utf8"));
    expect(line).toMatchObject({ num_shards: 11, num_tasks: 5 });
  },
  timeoutMs,
);

test(
  "preempted: stopped in good order, started again by Slurm, no attempt spent",
  async () => {
    await using stage = await SlurmStage.start(cluster, "preempted");
    const { keys, release, jobId } = await startSlow(stage, "--sbatch-extras", "--exclusive");
    const urgent = await cluster.run(
      [
        "sbatch",
        "--parsable",
        "--partition=urgent",
        "--exclusive",
        "--array=0-1",
        "--wrap=sleep 2",
        "--output=/dev/null",
      ],
      { asUser: true },
    );
    expect(urgent.code).toBe(0);
    await until(
      "the tasks to be stopped",
      () => stage.states("attempt").every(({ outcome }) => outcome === "stopped"),
      120_000,
    );
    release();
    await cluster.waitForJob(jobId, timeoutMs);
    await expectWhole(stage, keys, 2);
    for (const attempt of stage.states("attempt")) {
      expect(attempt).toMatchObject({ attempt: 2, spent: 0, preemptions: 1, outcome: "done" });
    }
    expect(stage.dest.counts.PUT).toBeLessThanOrEqual(120 + 2 * 2 + 2);
  },
  timeoutMs,
);

test(
  "the whole array requeued by hand in mid-transfer, and again when it is done",
  async () => {
    await using stage = await SlurmStage.start(cluster, "byhand");
    const { keys, release, jobId } = await startSlow(stage);
    expect((await cluster.run(["scontrol", "requeue", jobId])).code).toBe(0);
    release();
    await cluster.waitForJob(jobId, timeoutMs);
    await expectWhole(stage, keys, 2);
    const puts = stage.dest.counts.PUT;
    expect(puts).toBeLessThanOrEqual(120 + 2 * 2 + 2);
    expect((await cluster.run(["scontrol", "requeue", jobId])).code).toBe(0);
    await until("the tasks to wait again", async () =>
      (await cluster.squeue(jobId)).some(({ state }) => state === "PENDING" || state === "RUNNING"),
    );
    await cluster.waitForJob(jobId, timeoutMs);
    expect(stage.dest.counts.PUT).toBe(puts);
  },
  timeoutMs,
);

test(
  "a node that goes down in mid-task: the shard goes on elsewhere, and the loss spends no attempt",
  async () => {
    await using stage = await SlurmStage.start(cluster, "nodedown");
    const { keys, release, jobId } = await startSlow(stage, "--sbatch-extras", "--nodelist=n1");
    await until("progress that is written down", () =>
      [0, 1].every((shard) => Number(state(stage.runDir, shard, "progress")?.objects_done) > 0),
    );
    const update = await cluster.run(["scontrol", "update", `JobId=${jobId}`, "ReqNodeList="]);
    await cluster.nodeDown("n1", { announce: true });
    try {
      release();
      if (update.code !== 0) await cluster.nodeUp("n1");
      await cluster.waitForJob(jobId, timeoutMs);
      await expectWhole(stage, keys, 2);
      for (const attempt of stage.states("attempt"))
        expect(attempt).toMatchObject({ spent: 0, lost_starts: 1 });
    } finally {
      await cluster.nodeUp("n1");
    }
  },
  timeoutMs,
);

test(
  "slurmstepd killed under a step: the pass ends, the next one goes on",
  async () => {
    await using stage = await SlurmStage.start(cluster, "stepd");
    const { keys, release, jobId } = await startSlow(stage);
    const rclones = processesWith("/xfer.keys").filter(
      (pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "rclone",
    );
    expect(rclones.length).toBeGreaterThan(0);
    for (const pid of rclones) {
      const parent = Number(/\nPPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
      process.kill(parent, "SIGKILL");
    }
    release();
    await cluster.waitForJob(jobId, timeoutMs);
    const again = await stage.xfer("slurm", "submit", "--run-dir", stage.runDir);
    await cluster.waitForJob(again.stdout.trim(), timeoutMs);
    await expectWhole(stage, keys, 2);
  },
  timeoutMs,
);

test(
  "a node on which no container starts is avoided: the task goes on on another, and no attempt is spent",
  async () => {
    await using stage = await SlurmStage.start(cluster, "badnode");
    const keys = stage.fill(30);
    expect((await stage.xfer(...stage.runArgs("--num-shards", "1"))).code).toBe(0);
    // The same path is an image on one node only: what is told apart by SLURMD_NODENAME here, a local disk is there.
    const config = JSON.parse(readFileSync(join(stage.runDir, "config.resolved.json"), "utf8"));
    const wrapper = join(stage.dir, "agent");
    writeFileSync(join(stage.runDir, "bin", "agent-path"), `${wrapper}\n`);
    writeFileSync(
      wrapper,
      `#!/bin/bash\nif [ "$SLURMD_NODENAME" = n1 ]; then mv config.resolved.json whole.json; ` +
        `sed 's,"rclone_image": .*,"rclone_image": "${stage.dir}/none.sqsh"\\,,' whole.json >config.resolved.json; ` +
        `else [ -f whole.json ] && mv whole.json config.resolved.json; fi\nexec ./bin/xfer "$@"\n`,
    );
    chmodSync(wrapper, 0o755);
    expect(config.rclone_image).toBe(cluster.imageDir);
    // The first start is on n1: n2 rests until the task has been there.
    expect(
      (await cluster.run(["scontrol", "update", "NodeName=n2", "State=DRAIN", "Reason=test"])).code,
    ).toBe(0);
    const submitted = await stage.xfer("slurm", "submit", "--run-dir", stage.runDir);
    const jobId = submitted.stdout.trim();
    await until(
      "the task to be sent elsewhere",
      () => stage.states("attempt")[0]?.outcome === "bad-node",
      120_000,
    );
    const shown = await until("Slurm to know", async () => {
      const { stdout } = await cluster.run(["scontrol", "show", "job", `${jobId}_0`]);
      return /ExcNodeList=n1\b/.test(stdout) ? stdout : undefined;
    });
    expect(shown).toContain("ExcNodeList=n1");
    expect((await cluster.run(["scontrol", "update", "NodeName=n2", "State=RESUME"])).code).toBe(0);
    await cluster.waitForJob(jobId, timeoutMs);
    await expectWhole(stage, keys, 1);
    expect(stage.states("attempt")).toMatchObject([
      { attempt: 2, spent: 0, bad_nodes: ["n1"], outcome: "done" },
    ]);
  },
  timeoutMs,
);

test(
  "an image that is nowhere, and an rclone.conf that is not on the nodes: bounded, and said in the container's words",
  async () => {
    await using stage = await SlurmStage.start(cluster, "noconf");
    stage.fill(10);
    const prepared = await stage.xfer(...stage.runArgs("--num-shards", "1", "--max-attempts", "1"));
    expect(prepared.code).toBe(0);
    const render = await stage.xfer(
      ...[
        "slurm",
        "render",
        "--run-dir",
        stage.runDir,
        "--rclone-image",
        cluster.imageDir,
        "--cpus-per-task",
        "1",
      ],
      ...["--rclone-config", join(stage.dir, "gone.conf"), "--mem", "500M", "--max-attempts", "1"],
    );
    expect(render.stderr).toContain("gone.conf: no such file here");
    const jobId = (await stage.xfer("slurm", "submit", "--run-dir", stage.runDir)).stdout.trim();
    // One node is given up; on the other the one attempt is spent.
    await cluster.waitForJob(jobId, timeoutMs);
    expect(stage.logs()).toContain("will be tried off n");
    expect(stage.states("fail")[0]?.message).toContain("gone.conf");
    expect(stage.states("fail")[0]).toMatchObject({ final: true, attempt: 2 });
    expect(stage.states("fail")[0]).toMatchObject({ class: "container", proven: 0 });
    expect(stage.states("done")).toEqual([]);
    expect(readdirSync(join(stage.runDir, "state")).some((name) => name.endsWith(".tmp"))).toBe(false);
  },
  timeoutMs,
);
