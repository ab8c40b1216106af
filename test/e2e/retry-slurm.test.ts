import { beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { sharedCluster } from "../cluster/shared.ts";
import { limitMs } from "../setup/pace.ts";
import { state } from "../stage/harness.ts";
import { heldText } from "../stage/json-schemas.ts";
import { SlurmStage } from "../stage/slurm-stage.ts";

/** Jobs wait for two noisy cores. */
const timeoutMs = limitMs(300_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
}, timeoutMs);

/** The keys of each shard of a run. */
const keysOf = (runDir: string, shards: number): string[][] =>
  Array.from({ length: shards }, (_, shard) => {
    const path = join(runDir, "shards", `shard_${String(shard).padStart(6, "0")}.jsonl`);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    return lines.map((line) => (JSON.parse(line) as { path: string }).path);
  });

/** Renders a run of so many shards that copies without a container. */
async function renderRun(stage: SlurmStage, shards: number): Promise<string[][]> {
  const words = ["--runtime", "host", "--num-shards", String(shards), "--rclone-flags", "--retries 1"];
  const result = await stage.xfer(...stage.runArgs(...words));
  expect(result.code, result.stderr).toBe(0);
  return keysOf(stage.runDir, shards);
}

/** Runs `xfer retry` as the ordinary user, with these programs before the real ones. */
function retryWith(stage: SlurmStage, programs: Record<string, string>, ...words: string[]) {
  const bin = join(stage.dir, `bin ${Object.keys(programs).join(" ")}`);
  mkdirSync(bin, { recursive: true });
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const argv = [stage.xferPath, "retry", "--run-dir", stage.runDir, ...words];
  return cluster.run(argv, { asUser: true, cwd: stage.dir, env: { PATH: `${bin}:/usr/bin:/bin` } });
}

const submissions = (stage: SlurmStage): Record<string, unknown>[] =>
  readFileSync(join(stage.runDir, "submissions.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** What was done to a run, as events.jsonl has it. */
const actions = (stage: SlurmStage): unknown[] =>
  readFileSync(join(stage.runDir, "events.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { action: unknown }).action);

test(
  "two of four shards have failed: an array of these two copies what is left, and nothing else is touched",
  async () => {
    await using stage = await SlurmStage.start(cluster, "retry");
    const keys = stage.fill(40);
    const shards = await renderRun(stage, 4);
    const refused = new Set([shards[1]?.[0] ?? "", shards[3]?.[0] ?? ""]);
    const isRefused = ({ key }: { key: string }) => refused.has(key);
    const mend = stage.dest.inject({ kinds: ["PUT"], match: isRefused, action: "forbidden" });
    const first = await stage.xfer("slurm", "submit", "--run-dir", stage.runDir);
    await cluster.waitForJob(first.stdout.trim(), timeoutMs);
    const fails = stage.states("fail");
    expect(fails.map(({ class: failure, proven, records }) => [failure, records - proven])).toEqual([
      ["auth", 1],
      ["auth", 1],
    ]);
    mend();
    // What the tasks and rclone said of one shard is read together, and nothing of another.
    const said = await stage.xfer("logs", "--run-dir", stage.runDir, "--shard", "1", "--errors", "--json");
    const errors = said.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(new Set(errors.map(({ shard, level }) => `${shard} ${level}`))).toEqual(new Set(["1 error"]));
    expect(new Set(errors.map(({ file }) => file))).toEqual(
      new Set(["shard_1_attempt_1.log", `slurm_${first.stdout.trim()}_1.out`]),
    );

    // What sbatch refuses leaves all as it is.
    const failed = await retryWith(stage, { sbatch: "echo 'no such account' >&2; exit 1" });
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toContain("no such account");
    expect(stage.states("fail")).toEqual(fails);
    // A queue that cannot be seen is not taken for an empty one.
    const blind = await retryWith(stage, { squeue: "exit 1" });
    expect(blind).toMatchObject({ code: 1, stdout: "" });
    expect(blind.stderr).toContain("squeue does not say which tasks of ");
    expect(actions(stage)).toEqual(["submitted"]);

    // One of them waits in the queue: it is left alone until it was cancelled.
    const held = await retryWith(
      ...([stage, { sbatch: 'exec /usr/bin/sbatch --hold "$@"' }] as const),
      ...["--shards", "3", "--json"],
    );
    expect(held.code, held.stderr).toBe(0);
    const { job_id: heldId } = JSON.parse(held.stdout) as { job_id: string };
    const again = await stage.xfer("retry", "--run-dir", stage.runDir, "--shards", "1,3");
    expect(again).toMatchObject({ code: 2, stdout: "" });
    expect(again.stderr).toContain(`shard 3 is running or in the queue (job ${heldId}): nothing was done`);
    const changed = await stage.xfer(
      ...["retry", "--run-dir", stage.runDir, "--shards", "1", "--max-attempts", "9"],
    );
    expect(changed).toMatchObject({ code: 2, stdout: "" });
    const early = await stage.xfer("retry", "--run-dir", stage.runDir, "--shards", "1", "--verify");
    expect(early).toMatchObject({ code: 2, stdout: "" });
    expect(early.stderr).toContain(
      "--verify: 1 shard (3) would be compared before its end: nothing was done",
    );
    await cluster.run(["scancel", heldId]);
    await cluster.waitForJob(heldId, timeoutMs);

    const doneTimes = () =>
      [0, 2].map((shard) => statSync(join(stage.runDir, "state", `shard_${shard}.done`)).mtimeMs);
    const before = doneTimes();
    for (const endpoint of [stage.source, stage.dest]) endpoint.resetCounts();
    const words = ["--max-attempts", "2", "--rclone-flags", "--transfers 3", "--verify", "--json"];
    const retried = await stage.xfer("retry", "--run-dir", stage.runDir, ...words);
    expect(retried.code, retried.stderr).toBe(0);
    expect(await heldText(retried.stdout)).toEqual({ names: ["xfer.retry.v1"], problems: [] });
    const result = JSON.parse(retried.stdout) as { job_id: string; collect_job_id: string };
    expect(result).toMatchObject({
      executor: "slurm",
      shards: "1,3",
      tasks: "1,3",
      stride: null,
      busy_shards: "",
    });
    await cluster.waitForJob(result.job_id, timeoutMs);
    expect((await cluster.squeue(result.job_id)).map(({ state: ended }) => ended)).toEqual([
      "COMPLETED",
      "COMPLETED",
    ]);
    expect(await stage.different(keys)).toEqual([]);
    await cluster.waitForJob(result.collect_job_id, timeoutMs);
    const proof = JSON.parse(readFileSync(join(stage.runDir, "verify.json"), "utf8"));
    expect(proof).toMatchObject({ verified: true, hash_proven: 40 });
    expect(doneTimes()).toEqual(before);
    expect([stage.source.counts.GET, stage.dest.counts.PUT]).toEqual([2, 2]);
    expect(stage.states("fail")).toEqual([]);
    expect(submissions(stage).slice(-3)).toMatchObject([
      { job_id: result.job_id, num_shards: 2, num_tasks: 2 },
      { kind: "verify", num_shards: 4 },
      { job_id: result.collect_job_id, kind: "collect" },
    ]);
    const events = readFileSync(join(stage.runDir, "events.jsonl"), "utf8").trimEnd().split("\n");
    const retries = events.map((line) => JSON.parse(line)).filter(({ action }) => action === "retried");
    expect(retries).toMatchObject([
      { action: "retried", jobs: [heldId], detail: "1 shard: 3" },
      {
        ...{ action: "retried", jobs: [result.job_id] },
        detail: "2 shards: 1,3; --max-attempts 2; --rclone-flags '--transfers 3'",
      },
    ]);
    // What is over needs no waiting for; the task of the retry is among what was said.
    const followed = await stage.xfer(
      "logs",
      "--run-dir",
      stage.runDir,
      "--shard",
      "3",
      "--follow",
      "--json",
    );
    expect([followed.code, followed.stderr]).toEqual([0, ""]);
    expect(followed.stdout).toContain(`"file":"slurm_${result.job_id}_3.out"`);
    const nothing = await stage.xfer("retry", "--run-dir", stage.runDir);
    expect(nothing).toMatchObject({ code: 0, stdout: "nothing to retry\n" });
  },
  timeoutMs,
);

test(
  "a shard of a packed run is tried again by the task that carries it, and that task's others are not",
  async () => {
    await using stage = await SlurmStage.start(cluster, "retry-packed");
    const keys = stage.fill(40);
    // The cluster would take more: the programs here say what a smaller one would.
    const small = {
      scontrol: '[[ "$*" == "show config" ]] && echo "MaxArraySize = 3" || exec /usr/bin/scontrol "$@"',
    };
    const shards = await renderRun(stage, 7);
    const [refused, gone] = [shards[4]?.[0] ?? "", shards[1]?.[0] ?? ""];
    const mend = stage.dest.inject({
      kinds: ["PUT"],
      match: ({ key }) => key === refused,
      action: "forbidden",
    });
    const comesBack = stage.source.inject({
      ...{ kinds: ["GET"], match: ({ key }) => key === gone },
      action: "not-found",
    });
    const first = await stage.xfer("slurm", "submit", "--run-dir", stage.runDir);
    await cluster.waitForJob(first.stdout.trim(), timeoutMs);
    expect(stage.states("fail").map(({ class: failure }) => failure)).toEqual(["missing", "auth"]);
    mend();
    const auth = await retryWith(stage, small, "--class", "auth", "--json");
    expect(auth.code, auth.stderr).toBe(0);
    const { job_id } = JSON.parse(auth.stdout) as { job_id: string };
    expect(JSON.parse(auth.stdout)).toMatchObject({ shards: "4", tasks: "1", stride: 3 });
    await cluster.waitForJob(job_id, timeoutMs);
    expect(state(stage.runDir, 4, "done"), stage.logs()).toMatchObject({ attempt: 2 });
    // The same task carries shard 1, whose object is still gone.
    expect(state(stage.runDir, 1, "fail")).toMatchObject({ class: "missing", attempt: 1 });
    expect(submissions(stage).at(-1)).toMatchObject({ job_id, num_shards: 7, num_tasks: 3 });
    comesBack();
    const rest = await retryWith(stage, small, "--json");
    const last = JSON.parse(rest.stdout) as { job_id: string };
    expect(last).toMatchObject({ shards: "1", tasks: "1", stride: null });
    await cluster.waitForJob(last.job_id, timeoutMs);
    expect(await stage.different(keys)).toEqual([]);
    expect(stage.states("done")).toHaveLength(7);
  },
  timeoutMs,
);
