import { expect, test } from "bun:test";
import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AutoThrottle, autoThrottle } from "../../../lib/operate/auto-throttle.ts";
import { cancelRun } from "../../../lib/operate/cancel.ts";
import { pauseRun } from "../../../lib/operate/pause.ts";
import { resumeRun } from "../../../lib/operate/resume.ts";
import { throttleRun } from "../../../lib/operate/throttle.ts";
import { readEvents } from "../../../lib/run/events.ts";
import { type RunLayout, shardLayout } from "../../../lib/run/layout.ts";
import type { ProgressState } from "../../../lib/run/state/progress.ts";
import type { QueuedTasks } from "../../../lib/slurm/squeue.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { standIns } from "../slurm/stand-ins.ts";
import { runOf, submitted } from "./run-of.ts";

// What real Slurm does with these words is in test/e2e/steering.test.ts; here is what follows from its answers.

const now = new Date("2026-11-25T08:00:00Z");
const stop = new AbortController().signal;
const resume = (run: RunLayout) => resumeRun(run.dir, { now, imageCheck: false, stop });

/** A Slurm whose queue is what a file says; without the file squeue does not answer. */
function slurmOf(dir: string, queue: string, others: Record<string, string> = {}) {
  const path = join(dir, "queue");
  writeFileSync(path, queue);
  return standIns(dir, { squeue: `cat '${path}'`, scontrol: "", scancel: `: >'${path}'`, ...others });
}

/** The words that did something: all but the questions. */
const done = (calls: string[][]) =>
  calls.filter(([program]) => program !== "squeue").map((words) => words.join(" "));

const wanted = (run: RunLayout) => JSON.parse(readFileSync(run.control, "utf8")).wanted;

test("a pause holds all jobs that are in the queue, and names what is not held", async () => {
  using dir = temporaryDirectory("xfer-steer-");
  const run = await runOf(dir.path, 4);
  for (const job of ["12", "13", "14"]) submitted(run, job);
  const queue = "12\t0\tRUNNING\tNone\tn1\n12\t1\tPENDING\tJobHeldUser\t\n13\t2\tPENDING\tResources\t\n";
  using slurm = slurmOf(dir.path, queue);
  const paused = await pauseRun(run.dir, now);
  expect(paused).toEqual({
    ...{ jobs: ["12", "13"], held: 1, running: 1, wasPaused: false },
    problems: [expect.stringMatching(/^1 tasks wait and are not held/)],
  });
  expect(done(slurm.calls())).toEqual(["scontrol uhold 12 13"]);
  expect(wanted(run)).toBe("pause");
  expect(await pauseRun(run.dir, now)).toMatchObject({ wasPaused: true });
});

test("a run is paused although squeue does not answer, and a run without jobs without asking", async () => {
  using dir = temporaryDirectory("xfer-steer-");
  const run = await runOf(dir.path, 4);
  using slurm = slurmOf(dir.path, "");
  expect(await pauseRun(run.dir, now)).toMatchObject({ jobs: [], problems: [] });
  expect(slurm.calls()).toEqual([]);
  submitted(run, "12");
  unlinkSync(join(dir.path, "queue"));
  expect((await pauseRun(run.dir, now)).problems).toEqual([expect.stringMatching(/^squeue does not answer/)]);
  expect(wanted(run)).toBe("pause");
});

test("a resume writes its wish before it asks, and says what stays held", async () => {
  using dir = temporaryDirectory("xfer-steer-");
  const run = await runOf(dir.path, 4);
  submitted(run, "12");
  const queue = [0, 1, 2, 3].map((task) => `12\t${task}\tPENDING\tJobHeldAdmin\t\n`).join("");
  using slurm = slurmOf(dir.path, queue);
  await pauseRun(run.dir, now);
  const resumed = await resume(run);
  expect(resumed).toMatchObject({
    wasPaused: true,
    jobs: ["12"],
    released: 0,
    submitted: undefined,
    elsewhere: 0,
  });
  expect(resumed.problems).toEqual(["4 tasks are still held (JobHeldAdmin): scontrol release 12"]);
  expect(done(slurm.calls())).toEqual(["scontrol uhold 12", "scontrol release 12"]);
  unlinkSync(join(dir.path, "queue"));
  await pauseRun(run.dir, now);
  const error = await resume(run).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exitCode: 1, message: expect.stringContaining("run xfer resume again") });
  expect(wanted(run)).toBe("run");
});

test("a cancellation takes copies and comparisons, and once more what comes back", async () => {
  using dir = temporaryDirectory("xfer-steer-");
  const run = await runOf(dir.path, 4);
  submitted(run, "12");
  submitted(run, "13", "verify");
  const back = join(dir.path, "back");
  writeFileSync(back, "12\t3\tPENDING\tBeginTime\t\n");
  const path = join(dir.path, "queue");
  const scancel = `if [ -e '${back}' ]; then mv '${back}' '${path}'; else : >'${path}'; fi`;
  using slurm = slurmOf(
    dir.path,
    "12\t0\tRUNNING\tNone\tn1\n12\t1-3\tPENDING\tResources\t\n13\t0-3\tPENDING\tDependency\t\n",
    { scancel },
  );
  expect(await cancelRun(run.dir, now, stop)).toEqual([
    { jobId: "12", kind: "copy", running: 1, waiting: 3 },
    { jobId: "13", kind: "verify", running: 0, waiting: 4 },
  ]);
  expect(done(slurm.calls())).toEqual(["scancel 12 13", "scancel 12"]);
  expect(readEvents(run).at(-1)).toMatchObject({ action: "cancelled", jobs: ["12", "13"] });
  expect(await cancelRun(run.dir, now, stop)).toEqual([]);
});

test("a limit is set for each array, and what Slurm refuses fails", async () => {
  using dir = temporaryDirectory("xfer-steer-");
  const run = await runOf(dir.path, 4);
  for (const job of ["12", "13"]) submitted(run, job);
  const scontrol = 'case "$*" in *=13*) echo denied >&2; exit 1;; esac';
  using slurm = slurmOf(
    dir.path,
    "12\t0-3\tPENDING\tNone\t\n13\t0\tPENDING\tNone\t\n14\tN/A\tPENDING\tNone\t\n",
    { scontrol },
  );
  const error = await throttleRun(run.dir, 3, now).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exitCode: 1, message: expect.stringMatching(/^job 13: .*denied$/) });
  expect(done(slurm.calls())).toEqual([
    "scontrol update JobId=12 ArrayTaskThrottle=3",
    "scontrol update JobId=13 ArrayTaskThrottle=3",
  ]);
});

function progressOf(run: RunLayout, shard: number, more: Partial<ProgressState>): void {
  const progress: ProgressState = {
    ...{
      schema: "xfer.progress.v1",
      shard,
      sha256: "a".repeat(64),
      attempt: 1,
      pass: 1,
      node: "n1",
      records: 1,
    },
    ...{
      bytes: 1,
      objects_done: 0,
      bytes_done: 0,
      objects_unchanged: 0,
      bytes_unchanged: 0,
      bytes_in_flight: 0,
    },
    ...{ bytes_per_second: 1, eta_seconds: 1, errors: 0, throttled: 0, throttling: null, transfers: null },
    ...{ hindrance: null, plan: "", updated_at: now.toISOString(), ...more },
  };
  writeFileSync(shardLayout(run, shard).progress, JSON.stringify(progress));
}

test("--auto: each look at the heartbeats of what runs, each change with its reason, and the end", async () => {
  using dir = temporaryDirectory("xfer-steer-");
  const run = await runOf(dir.path, 20);
  submitted(run, "12");
  using slurm = slurmOf(dir.path, "");
  const controller = await autoThrottle({ runDir: run.dir, min: 2, max: 8, now, stop });
  if (!(controller instanceof AutoThrottle)) throw new Error("somebody holds a run that is new");
  expect(await autoThrottle({ runDir: run.dir, min: 2, max: 8, now, stop })).toMatchObject({ heldBy: {} });
  const queue = (running: number): QueuedTasks[] => [
    ...Array.from({ length: running }, (_, task) => ({
      ...{ jobId: "12", taskIds: [task], state: "RUNNING", reason: "None", node: "n1", limit: null },
    })),
    { jobId: "12", taskIds: [18, 19], state: "PENDING", reason: "JobArrayTaskLimit", node: null, limit: 6 },
    // Not of this run.
    { jobId: "99", taskIds: [0], state: "RUNNING", reason: "None", node: "n1", limit: null },
  ];
  const tick = (running: number) => controller.tick(now, queue(running));
  for (const shard of [0, 1, 2, 3, 4, 5]) progressOf(run, shard, { objects_done: 100, bytes_done: 10 });
  expect(await tick(6)).toMatchObject({ kind: "changed", limit: 6, running: 6, waiting: 2 });
  progressOf(run, 0, { objects_done: 200, bytes_done: 20, throttled: 40 });
  expect(await tick(6)).toMatchObject({
    kind: "changed",
    limit: 4,
    reason: "40 of 140 requests were refused (29%)",
  });
  // Two more tasks run than may.
  progressOf(run, 0, { objects_done: 300, bytes_done: 30, throttled: 90 });
  expect(await tick(6)).toMatchObject({ kind: "same", limit: 4 });
  for (const done of [400, 500]) {
    progressOf(run, 0, { objects_done: done, bytes_done: done, throttled: 90 });
    await tick(4);
  }
  expect(done(slurm.calls())).toEqual(
    [6, 4, 5].map((limit) => `scontrol update JobId=12 ArrayTaskThrottle=${limit}`),
  );
  expect(readEvents(run).map(({ detail }) => detail)).toEqual([
    "6 tasks at a time: it begins, from 2 to 8",
    "6 -> 4 tasks at a time: 40 of 140 requests were refused (29%)",
    "4 -> 5 tasks at a time: nothing was refused in 2 looks, and 2 tasks wait",
  ]);
  unlinkSync(join(dir.path, "queue"));
  expect(await controller.tick(now)).toMatchObject({ kind: "failed", problem: "squeue does not answer" });
  expect(await controller.tick(now, [])).toMatchObject({ kind: "same", limit: 5 });
  expect(await controller.tick(now, [])).toEqual({ kind: "ended", limit: 5 });
  controller.end();
  expect(await controller.tick(now, [])).toEqual({ kind: "lost", limit: 5 });
});
