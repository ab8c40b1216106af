import { beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunEvent } from "../../lib/run/events.ts";
import { readSamples } from "../../lib/run/state/samples.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { sharedCluster } from "../cluster/shared.ts";
import { limitMs } from "../setup/pace.ts";
import { processesWith, Stage, startXfer, state, until } from "../stage/harness.ts";
import { heldText } from "../stage/json-schemas.ts";
import { SlurmStage } from "../stage/slurm-stage.ts";

/** Jobs wait for two noisy cores. */
const timeoutMs = limitMs(300_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
}, timeoutMs);

/** A run without containers: what starts and stops is the same, and cheaper. */
const submit = (stage: SlurmStage, ...more: string[]) => stage.submit("--runtime", "host", ...more);

async function steer(stage: SlurmStage, ...words: string[]) {
  const [name = "", ...rest] = words;
  const { code, stdout, stderr } = await stage.xfer(name, ...rest, "--run-dir", stage.runDir, "--json");
  expect(code, `${words.join(" ")}: ${stderr}`).toBe(0);
  expect(await heldText(stdout)).toEqual({ names: [`xfer.${name}.v1`], problems: [] });
  return JSON.parse(stdout);
}

const eventsOf = (runDir: string): RunEvent[] =>
  readFileSync(join(runDir, "events.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

const tasksOf = async (job: string) => {
  const tasks = await cluster.squeue(job);
  return tasks.map(({ state }) => state);
};

/** What Slurm says of a job's tasks that wait: their reasons. */
async function reasonsOf(job: string): Promise<string[]> {
  const { stdout } = await cluster.run(["squeue", "-h", "-r", "-t", "PD", "-j", job, "-o", "%r"]);
  return stdout.trimEnd().split("\n");
}

const startsOf = (stage: SlurmStage): number =>
  readdirSync(join(stage.runDir, "logs")).filter((name) => /^shard_\d+_attempt_\d+\.log$/.test(name)).length;

test(
  "a paused run copies nothing, starts nothing and spends nothing; resumed, it goes on to the last byte",
  async () => {
    await using stage = await SlurmStage.start(cluster, "paused");
    const keys = stage.fill(160);
    const lift = stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 400 } });
    // In containers, where a stop reaches rclone through Slurm alone.
    const job = await stage.submit(
      "--num-shards",
      "6",
      "--array-concurrency",
      "2",
      "--rclone-flags",
      "--transfers 2",
    );
    await until("both tasks to have copied something", () =>
      [0, 1].every((shard) => (state(stage.runDir, shard, "progress")?.objects_done ?? 0) > 1),
    );
    const paused = await steer(stage, "pause");
    expect(paused).toMatchObject({ schema: "xfer.pause.v1", was_paused: false, jobs: [job] });
    expect(paused.tasks_held).toBeGreaterThanOrEqual(4);
    await until("all tasks to be held", async () => {
      const [states, reasons] = [await tasksOf(job), await reasonsOf(job)];
      return states.every((one) => one === "PENDING") && reasons.every((reason) => /held/i.test(reason));
    });
    expect(await tasksOf(job)).toHaveLength(6);
    expect(processesWith(stage.runDir)).toEqual([]);
    const [copied, starts] = [stage.dest.keys("copy").length, startsOf(stage)];
    for (const shard of [0, 1]) {
      expect(state(stage.runDir, shard, "attempt")).toMatchObject({
        ...{ attempt: 1, spent: 0, other_stops: 0, early_stops: 0, outcome: "stopped", stopped_by: "pause" },
      });
      const proven = readFileSync(join(stage.runDir, "state", `shard_${shard}.journal`), "utf8").match(
        /^c\d+$/gm,
      );
      expect(proven?.length).toBeGreaterThan(1);
    }
    // A task that starts all the same (released by hand) ends at once, and is held again: not started over and over.
    const restarts = async () => {
      const { stdout } = await cluster.run(["scontrol", "show", "job", `${job}_5`]);
      return Number(/Restarts=(\d+)/.exec(stdout)?.[1]);
    };
    const released = await cluster.run(["scontrol", "release", `${job}_5`], { asUser: true });
    expect(released.code, released.stderr).toBe(0);
    await until(
      "the released task to be held again",
      async () => (await restarts()) === 1 && (await reasonsOf(job)).every((reason) => /held/i.test(reason)),
    );
    expect(startsOf(stage)).toBe(starts);
    expect(state(stage.runDir, 5, "attempt")).toBeUndefined();
    expect(stage.logs()).toContain("the run is paused: stopping");
    // Submitted by mistake, or paused twice: it stays paused.
    const again = await stage.xfer("slurm", "submit", "--run-dir", stage.runDir);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("the run is paused since ")]);
    expect(await steer(stage, "pause")).toMatchObject({ was_paused: true, tasks_held: 6, tasks_running: 0 });
    expect(stage.dest.keys("copy").length).toBe(copied);
    lift();
    const resumed = await steer(stage, "resume");
    expect(resumed).toMatchObject({
      ...{ schema: "xfer.resume.v1", was_paused: true, jobs: [job], tasks_released: 6, job_id: null },
      ...{ shards_submitted: [], shards_failed: 0, shards_elsewhere: 0 },
    });
    await cluster.waitForJob(job, timeoutMs);
    expect(await stage.different(keys)).toEqual([]);
    // What was proven before is not copied again; what was under way is.
    expect(stage.dest.counts.PUT).toBeLessThanOrEqual(keys.length + 8);
    for (const shard of [0, 1, 2, 3, 4, 5]) {
      const attempt = state(stage.runDir, shard, "attempt");
      expect(attempt).toMatchObject({ attempt: shard < 2 ? 2 : 1, spent: 0, outcome: "done" });
      // A line at the start and one at the end of each attempt.
      const samples = readSamples(join(stage.runDir, "state", `shard_${shard}.samples`));
      expect(samples.map((sample) => sample.attempt)).toEqual(shard < 2 ? [1, 1, 2, 2] : [1, 1]);
      expect(samples.at(-1)?.objects).toBe(state(stage.runDir, shard, "done")?.records);
    }
    const events = eventsOf(stage.runDir);
    expect(events.map(({ action }) => action)).toEqual(["submitted", "paused", "paused", "resumed"]);
    for (const { by, jobs } of events) {
      expect(by).toStartWith(`${cluster.user.name}@`);
      expect(jobs).toEqual([job]);
    }
  },
  timeoutMs,
);

test(
  "a cancelled run is out of the queue for good, all kinds of its jobs; resume submits what is left of it",
  async () => {
    await using stage = await SlurmStage.start(cluster, "cancelled");
    const keys = stage.fill(90);
    const lift = stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 400 } });
    // The first shard is done before: resume leaves it out.
    const job = await submit(
      stage,
      "--num-shards",
      "4",
      "--array-concurrency",
      "1",
      "--rclone-flags",
      "--transfers 4",
    );
    await until("the first shard to be done", () => state(stage.runDir, 0, "done"));
    const compare = ["verify", "--executor", "slurm", "--run-dir", stage.runDir];
    const verify = (await stage.xfer(...compare)).stdout.trim();
    await until(
      "the second shard to copy",
      () => (state(stage.runDir, 1, "progress")?.objects_done ?? 0) > 1,
    );
    const cancelled = await steer(stage, "cancel");
    expect(cancelled).toMatchObject({ schema: "xfer.cancel.v1" });
    const ids = cancelled.jobs.map(({ job_id }: { job_id: string }) => job_id);
    expect(ids).toContain(job);
    expect([job, verify]).toEqual(expect.arrayContaining(ids));
    await cluster.waitForJob(job, timeoutMs);
    expect((await tasksOf(job)).filter((one) => one === "CANCELLED").length).toBeGreaterThanOrEqual(3);
    await until("the agent to have said so", () => state(stage.runDir, 1, "attempt")?.outcome === "stopped");
    expect(processesWith(stage.runDir)).toEqual([]);
    expect((await steer(stage, "cancel")).jobs).toEqual([]);
    lift();
    const resumed = await steer(stage, "resume");
    expect(resumed).toMatchObject({ was_paused: false, tasks_released: 0, shards_submitted: [1, 2, 3] });
    const states = await cluster.squeue(resumed.job_id);
    expect(new Set(states.map(({ taskId }) => taskId))).toEqual(new Set([1, 2, 3]));
    await cluster.waitForJob(resumed.job_id, timeoutMs);
    expect(await stage.different(keys)).toEqual([]);
    const actions = eventsOf(stage.runDir).map(({ action }) => action);
    expect(actions).toEqual(["submitted", "submitted", "cancelled", "submitted", "resumed"]);
  },
  timeoutMs,
);

/** How many tasks of an array Slurm lets run at a time. */
async function limitOf(job: string): Promise<number> {
  const { stdout } = await cluster.run(["scontrol", "show", "job", job]);
  return Number(/ArrayTaskThrottle=(\d+)/.exec(stdout)?.[1]);
}

test(
  "a limit that is set by hand is Slurm's; --auto brings it down while the store refuses, once for a run, and says why",
  async () => {
    await using stage = await SlurmStage.start(cluster, "throttled");
    stage.fill(400);
    stage.dest.inject({ kinds: ["PUT"], action: "slowdown", probability: 0.6, seed: 3 });
    stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 100 } });
    const job = await submit(stage, "--num-shards", "12", "--array-concurrency", "6");
    expect(await limitOf(job)).toBe(6);
    expect(await steer(stage, "throttle", "4")).toMatchObject({ auto: false, limit: 4, jobs: [job] });
    expect(await limitOf(job)).toBe(4);
    await until(
      "four tasks to run",
      async () => (await tasksOf(job)).filter((one) => one === "RUNNING").length >= 4,
    );
    const auto = steer(stage, "throttle", "--auto", "--min", "2", "--max", "5", "--every", "2");
    const lease = join(stage.runDir, "state", "throttle.lease");
    await until("the lease", () => existsSync(lease));
    const written = await heldText(readFileSync(lease, "utf8"));
    expect(written).toEqual({ names: ["xfer.lease.v1"], problems: [] });
    expect(await steer(stage, "throttle", "--auto")).toMatchObject({ auto: true, end: "held" });
    await until("the limit to come down", async () => (await limitOf(job)) === 2);
    const throttled = () => eventsOf(stage.runDir).filter(({ action }) => action === "throttled");
    await until("the reason", () => throttled().at(-1)?.detail.includes("refused"));
    expect(throttled().at(-1)?.detail).toMatch(
      /^\d -> \d tasks at a time: \d+ of \d+ requests were refused \(\d+%\)$/,
    );
    await steer(stage, "cancel");
    const ended = await auto;
    expect(ended).toMatchObject({ schema: "xfer.throttle.v1", auto: true, end: "ended", limit: 2 });
    expect(ended.changes).toBe(throttled().length - 1);
    expect(existsSync(lease)).toBeFalse();
  },
  timeoutMs,
);

test(
  "on one machine: a pause ends the run in good order, which then goes on by the same command",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(150);
    const lift = stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 400 } });
    const words = stage.runArgs(
      "--num-shards",
      "3",
      "--array-concurrency",
      "2",
      "--rclone-flags",
      "--transfers 2",
    );
    const first = startXfer(words, { cwd: stage.dir });
    await until("something to be copied", () => (state(stage.runDir, 0, "progress")?.objects_done ?? 0) > 1);
    const paused = await stage.xfer("pause", "--run-dir", stage.runDir);
    expect([paused.code, paused.stdout]).toEqual([
      0,
      expect.stringContaining(": paused\ngo on with: xfer resume"),
    ]);
    const end = await first.result;
    expect(end.code, end.stderr).toBe(75);
    expect(end.stderr).toContain("paused: go on with xfer resume --run-dir ");
    expect(state(stage.runDir, 0, "attempt")).toMatchObject({
      spent: 0,
      stopped_by: "pause",
      outcome: "stopped",
    });
    const copied = stage.dest.keys("copy").length;
    const refused = await startXfer(words, { cwd: stage.dir }).result;
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("the run is paused since ")]);
    expect(stage.dest.keys("copy").length).toBe(copied);
    lift();
    const resumed = await stage.xfer("resume", "--run-dir", stage.runDir);
    expect([resumed.code, resumed.stdout]).toEqual([
      0,
      expect.stringContaining("go on with the command that began them"),
    ]);
    const again = await startXfer(words, { cwd: stage.dir }).result;
    expect(again.code, again.stderr).toBe(0);
    await stage.expectEqual(keys);
    expect(stage.dest.counts.PUT).toBeLessThanOrEqual(keys.length + 8);
    expect(eventsOf(stage.runDir).map(({ action }) => action)).toEqual(["paused", "resumed"]);
  },
  timeoutMs,
);
