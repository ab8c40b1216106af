import { expect } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../data/fill.ts";
import { paced } from "../../setup/pace.ts";
import { kill, state, until } from "../../stage/harness.ts";
import type { SlurmRun } from "./run.ts";

/** How the rows of the fault matrix disturb, heal and look at a run as an array of a cluster. */

/** Submits the run and returns when some of it is copied. */
const startSome = (run: SlurmRun) => run.startSlow({ delayMs: 400, puts: 9 });

async function must(run: SlurmRun, argv: string[], asUser = false): Promise<void> {
  expect(await run.cluster.run(argv, { asUser })).toMatchObject({ code: 0 });
}

const shardsOf = (run: SlurmRun): number[] => Array.from({ length: run.shards }, (_, shard) => shard);

// Processes.

/**
 * Kills parts of the run at random moments, starting it again when it has ended: most of the kills hit an rclone, some an
 * agent or the slurmstepd above an rclone.
 */
export const killAtRandom =
  (kills: { rclone: number; agent: number; slurmstepd: number }) => async (run: SlurmRun) => {
    const random = seededRandom(30);
    const left = Object.entries(kills).flatMap(([kind, count]) => Array(count).fill(kind) as (typeof kind)[]);
    await startSome(run);
    while (left.length > 0) {
      await Bun.sleep(50 + random() * 200);
      const at = Math.floor(random() * left.length);
      const victims = run.victims(left[at] as keyof typeof kills);
      const victim = victims[Math.floor(random() * victims.length)];
      if (victim === undefined) {
        if ((await run.tasks()).every((task) => task === "FAILED" || task === "COMPLETED")) await run.start();
        continue;
      }
      kill(victim, "SIGKILL");
      left.splice(at, 1);
    }
  };

/** Kills the rclone of one shard and the agent of the other. */
export async function killOneOfEach(run: SlurmRun): Promise<void> {
  await startSome(run);
  kill(-(await until("rclone's step", () => run.states("attempt")[0]?.child?.pid)), "SIGKILL");
  kill(await until("the other agent", () => run.states("attempt")[1]?.agent.pid), "SIGKILL");
  expect(run.states("done")).toEqual([]);
}

/** The shard whose rclone died went on in the same attempt; the one whose agent died is not done. */
export function oneIsDone(run: SlurmRun): void {
  expect(run.states("done"), run.stage.logs()).toMatchObject([{ shard: 0, attempt: 1 }]);
}

// Stops.

export async function cancel(run: SlurmRun): Promise<void> {
  await startSome(run);
  await must(run, ["scancel", run.job], true);
}

export async function cancelledInGoodOrder(run: SlurmRun): Promise<void> {
  await until("every process of the run to end", () => run.processes().length === 0, 60_000);
  expect(await run.tasks()).toEqual(shardsOf(run).map(() => "CANCELLED"));
  expect(run.states("done")).toEqual([]);
  expect(run.states("fail")).toEqual([]);
  const stopped = shardsOf(run).map(() => "stopped");
  expect(
    run.states("attempt").map(({ outcome }) => outcome),
    run.stage.logs(),
  ).toEqual(stopped);
  expect(run.dest.counts.PUT).toBeLessThan(run.keys.length);
}

/**
 * The flags of a run whose tasks are signalled so many seconds of an idle machine after their start: long before the time
 * limit, but once something is copied.
 */
export function stopAfter(idleSeconds: number): string[] {
  const seconds = paced(idleSeconds);
  const minutes = Math.ceil((seconds + 150) / 60);
  return ["--time-limit", String(minutes), "--sbatch-extras", `--signal=B:USR1@${minutes * 60 - seconds}`];
}

/** Waits for the signal that comes before the time limit, with PUTs so slow that it comes in the middle. */
export async function runOutOfTime(run: SlurmRun): Promise<void> {
  await run.startSlow({ delayMs: 1500, puts: 1 });
  await until("the agent to be stopped and requeued", () => run.stage.logs().includes("requeued"), 240_000);
  expect(run.states("attempt")[0]?.outcome, run.stage.logs()).not.toBe("failed");
}

/** rclone ended in good order, by TERM: 143, not by the KILL that a TERM to srun means. */
export function stoppedOnTime(run: SlurmRun): void {
  expect(run.stage.logs()).toContain("stopped by SIGUSR1");
  expect(run.log(0, 1)).toContain("xfer: pass 1 ended: exit code 143");
}

/** Gives the nodes to a job of a partition that preempts. */
export async function preempt(run: SlurmRun): Promise<void> {
  await startSome(run);
  const urgent = ["--partition=urgent", "--exclusive", "--array=0-1", "--wrap=sleep 2", "--output=/dev/null"];
  await must(run, ["sbatch", "--parsable", ...urgent], true);
  const stopped = () => run.states("attempt").every(({ outcome }) => outcome === "stopped");
  await until("the tasks to be stopped", stopped, 120_000);
}

export async function requeueAll(run: SlurmRun): Promise<void> {
  await startSome(run);
  await must(run, ["scontrol", "requeue", run.job]);
}

/** Requeued once more, all is done already. */
export async function requeuedInVain(run: SlurmRun): Promise<void> {
  const puts = run.dest.counts.PUT;
  await must(run, ["scontrol", "requeue", run.job]);
  await until("the tasks to wait again", async () =>
    (await run.tasks()).some((task) => task === "PENDING" || task === "RUNNING"),
  );
  await run.end();
  expect(run.dest.counts.PUT).toBe(puts);
}

// Nodes.

/** Takes the power from the node of both tasks once they have progress that is written down. */
export async function loseNode(run: SlurmRun): Promise<void> {
  await startSome(run);
  await until("progress that is written down", () =>
    shardsOf(run).every((shard) => Number(state(run.runDir, shard, "progress")?.objects_done) > 0),
  );
  const update = await run.cluster.run(["scontrol", "update", `JobId=${run.job}`, "ReqNodeList="]);
  await run.cluster.nodeDown("n1", { announce: true });
  // Where the job cannot be sent elsewhere, it has to wait for its node.
  if (update.code !== 0) await run.cluster.nodeUp("n1");
  else run.defer(() => run.cluster.nodeUp("n1"));
}

const setNode = (run: SlurmRun, name: string, ...words: string[]) =>
  must(run, ["scontrol", "update", `NodeName=${name}`, ...words]);

/** Has the task find no image on n1, where it is started first, and one on n2. */
export async function imageOnOneNode(run: SlurmRun): Promise<void> {
  await run.prepare();
  // The same path is an image on one node only: what is told apart by SLURMD_NODENAME here, a local disk is there.
  const config = JSON.parse(readFileSync(join(run.runDir, "config.resolved.json"), "utf8"));
  expect(config.rclone_image).toBe(run.cluster.imageDir);
  const wrapper = join(run.dir, "agent");
  writeFileSync(join(run.runDir, "bin", "agent-path"), `${wrapper}\n`);
  writeFileSync(
    wrapper,
    `#!/bin/bash\nif [ "$SLURMD_NODENAME" = n1 ]; then mv config.resolved.json whole.json; ` +
      `sed 's,"rclone_image": .*,"rclone_image": "${run.dir}/none.sqsh"\\,,' whole.json >config.resolved.json; ` +
      `else [ -f whole.json ] && mv whole.json config.resolved.json; fi\nexec ./bin/xfer "$@"\n`,
  );
  chmodSync(wrapper, 0o755);
  // n2 rests until the task has been on n1.
  await setNode(run, "n2", "State=DRAIN", "Reason=test");
  const resume = () => run.cluster.run(["scontrol", "update", "NodeName=n2", "State=RESUME"]);
  run.defer(async () => {
    await resume();
  });
  await run.start();
  await until(
    "the task to be sent elsewhere",
    () => run.states("attempt")[0]?.outcome === "bad-node",
    120_000,
  );
  await until("Slurm to know", async () => {
    const { stdout } = await run.cluster.run(["scontrol", "show", "job", `${run.job}_0`]);
    return /ExcNodeList=n1\b/.test(stdout);
  });
  expect((await resume()).code).toBe(0);
}

// What a task needs.

/** Takes the image away when all is rendered. */
export async function removeImage(run: SlurmRun): Promise<void> {
  const image = join(run.dir, "image");
  symlinkSync(run.cluster.imageDir, image);
  await run.prepare("--rclone-image", image);
  rmSync(image);
  await run.start("--no-image-check");
}

export const putImage = (run: SlurmRun) => symlinkSync(run.cluster.imageDir, join(run.dir, "image"));

/** Renders the run for an rclone.conf that is not there. */
export async function forgetConf(run: SlurmRun): Promise<void> {
  await run.prepare();
  const rendered = await run.stage.xfer(
    ...["slurm", "render", "--run-dir", run.runDir, "--rclone-image", run.cluster.imageDir],
    ...["--cpus-per-task", "1", "--mem", "500M", "--max-attempts", "1"],
    ...["--rclone-config", join(run.dir, "gone.conf")],
  );
  expect(rendered.stderr).toContain("gone.conf: no such file here");
  run.submitWords = ["--force"];
}

export const putConf = (run: SlurmRun) => {
  copyFileSync(run.stage.conf, join(run.dir, "gone.conf"));
  chmodSync(join(run.dir, "gone.conf"), 0o644);
};

const lackingImage = (run: SlurmRun) => join(run.dir, "image");

/** Takes rclone out of the image when all is rendered. */
export async function forgetRclone(run: SlurmRun): Promise<void> {
  await must(run, ["cp", "-a", run.cluster.imageDir, lackingImage(run)]);
  await run.prepare("--rclone-image", lackingImage(run));
  renameSync(join(lackingImage(run), "usr", "bin", "rclone"), join(run.dir, "rclone"));
  await run.start();
}

export const putRclone = (run: SlurmRun) =>
  renameSync(join(run.dir, "rclone"), join(lackingImage(run), "usr", "bin", "rclone"));

/** Failed at its first start, with the cause as the end of its one line. */
export const finallyFailed = (why: RegExp) => (run: SlurmRun) => {
  expect(run.states("fail"), run.stage.logs()).toMatchObject([
    { class: "container", final: true, attempt: 1, proven: 0 },
  ]);
  expect(run.states("fail")[0]?.message).toMatch(why);
  expect(run.stage.logs()).not.toContain("will be tried");
};

/** One node is given up; on the other the one attempt is spent. Said in the container's words. */
export const containerFailed = (what: string) => (run: SlurmRun) => {
  expect(run.stage.logs()).toContain("will be tried off n");
  expect(run.states("fail")[0]?.message).toContain(what);
  expect(run.states("fail")).toMatchObject([{ class: "container", final: true, attempt: 2, proven: 0 }]);
  expect(run.states("done")).toEqual([]);
  expect(readdirSync(join(run.runDir, "state")).some((name) => name.endsWith(".tmp"))).toBe(false);
};

// Objects.

const lastKey = (run: SlurmRun): string => run.keys.at(-1) ?? "";

/** Takes the last object away after the listing. */
export async function vanishLast(run: SlurmRun): Promise<void> {
  await run.prepare();
  await run.takeFromSource(lastKey(run));
}

/** There are fewer tasks than shards; the one shard that fails does not hold up the others of its task. */
export async function failsAlone(run: SlurmRun): Promise<void> {
  expect(run.submissionSaid).toBe("");
  const tasks = (await run.cluster.squeue(run.job)).map(({ taskId }) => taskId);
  expect(tasks.sort()).toEqual([0, 1, 2, 3, 4]);
  expect((await run.tasks()).sort()).toEqual([...Array(4).fill("COMPLETED"), "FAILED"]);
  expect(run.states("done"), run.stage.logs()).toHaveLength(run.shards - 1);
  expect(run.states("fail")).toMatchObject([{ class: "missing", errors: [{ path: lastKey(run) }] }]);
  expect(run.keys.filter((key) => !run.to.keys().includes(key))).toEqual([lastKey(run)]);
  const line = JSON.parse(readFileSync(join(run.runDir, "submissions.jsonl"), "utf8"));
  expect(line).toMatchObject({ num_shards: run.shards, num_tasks: 5 });
}

/** Fails every write of the last object, which is in the last task's shard. */
export function failLast(run: SlurmRun): void {
  const match = ({ key }: { key: string }) => key === lastKey(run);
  run.inject("dest", { kinds: ["PUT", "POST", "PART"], match, action: "internal-error" });
}

/** The last task has requeued itself, and nothing that was proven was copied again by its second attempt. */
export async function requeuedAlone(run: SlurmRun): Promise<void> {
  expect(await run.tasks()).toEqual(["COMPLETED", "COMPLETED", "FAILED"]);
  expect(
    run.states("attempt").map(({ attempt }) => attempt),
    run.stage.logs(),
  ).toEqual([1, 1, 2]);
  expect(run.states("fail")).toMatchObject([{ final: true, attempt: 2, errors: [{ path: lastKey(run) }] }]);
  expect(await run.different()).toEqual([lastKey(run)]);
  expect(run.stage.logs()).toContain(`array task ${run.job}_2 requeued`);
  const { PUT } = run.dest.requestsFor("copy", lastKey(run));
  expect(run.dest.counts.PUT - PUT).toBe(run.keys.length - 1);
}
