import { beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { sharedCluster } from "../cluster/shared.ts";
import { limitMs } from "../setup/pace.ts";
import { until } from "../stage/harness.ts";
import { heldBelow, heldText } from "../stage/json-schemas.ts";
import { SlurmStage } from "../stage/slurm-stage.ts";

const timeoutMs = limitMs(300_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
}, timeoutMs);

/** Schemas that only a submitted run has. */
const heldHere = ["xfer.event.v1", "xfer.shard-verify.v1", "xfer.submission.v1"];

interface Jobs {
  job_id: string;
  verify_job_id: string;
  collect_job_id: string;
}

const linesOf = (stage: SlurmStage, name: string): Record<string, unknown>[] =>
  readFileSync(join(stage.runDir, name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

const proofOf = (stage: SlurmStage): Record<string, unknown> =>
  JSON.parse(readFileSync(join(stage.runDir, "verify.json"), "utf8"));

/** The exit code of a job's one task, as Slurm keeps it. */
async function exitCodeOf(jobId: string): Promise<string | undefined> {
  const { stdout } = await cluster.run(["scontrol", "show", "job", `${jobId}_0`]);
  return /\bExitCode=(\d+:\d+)/.exec(stdout)?.[1];
}

test(
  "with --verify, copy tasks that are requeued hold the comparison up; when the queue is empty the proof is there",
  async () => {
    await using stage = await SlurmStage.start(cluster, "proof");
    const keys = stage.fill(120);
    const release = stage.source.inject({ kinds: ["GET"], action: { delayMs: 2_000 } });
    const words = stage.runArgs(
      "--submit",
      "--verify",
      "--num-shards",
      "2",
      "--rclone-flags",
      "--transfers 2",
    );
    const submitted = await stage.xfer(...words, "--json");
    expect(submitted.code, submitted.stderr).toBe(0);
    const jobs = JSON.parse(submitted.stdout) as Jobs;
    expect(submitted.stderr).toContain(
      `job ${jobs.verify_job_id} compares the destination after it, job ${jobs.collect_job_id} writes verify.json`,
    );
    await until(
      "both tasks to copy",
      () => stage.states("attempt").length === 2 && stage.dest.counts.PUT > 4,
    );
    // One is taken off its node from outside, the other requeues itself as it does before its time limit.
    const must = async (...argv: string[]) => expect(await cluster.run(argv)).toMatchObject({ code: 0 });
    await must("scontrol", "requeue", `${jobs.job_id}_0`);
    await must("scancel", "--signal=USR1", "--batch", `${jobs.job_id}_1`);
    await until("task 1 to requeue itself", () => stage.logs().includes(`${jobs.job_id}_1 requeued`));
    release();
    const waiting = async () =>
      (await cluster.squeue(jobs.verify_job_id)).every(({ state }) => state === "PENDING");
    const early: boolean[] = [];
    await until(
      "both shards to be done",
      async () => {
        const isWaiting = await waiting();
        if (stage.states("done").length === 2) return true;
        early.push(!isWaiting);
        return false;
      },
      timeoutMs,
    );
    expect(early.filter(Boolean)).toEqual([]);
    expect(early.length).toBeGreaterThan(0);
    await cluster.waitForJob(jobs.collect_job_id, timeoutMs);
    const inQueue = await cluster.run(["squeue", "-h", "-j", Object.values(jobs).slice(1).join(",")]);
    expect(inQueue.stdout).toBe("");
    expect(stage.states("attempt").map(({ attempt }) => attempt)).toEqual([2, 2]);
    expect(await stage.different(keys)).toEqual([]);
    expect(proofOf(stage), stage.logs()).toMatchObject({
      verified: true,
      hash_proven: 120,
      missing: 0,
      differs: 0,
    });
    expect(await exitCodeOf(jobs.collect_job_id)).toBe("0:0");
    expect(linesOf(stage, "submissions.jsonl")).toMatchObject([
      { job_id: jobs.job_id, num_tasks: 2 },
      { job_id: jobs.verify_job_id, kind: "verify", num_tasks: 2 },
      { job_id: jobs.collect_job_id, kind: "collect", num_tasks: 1 },
    ]);
    expect(linesOf(stage, "events.jsonl").at(-1)).toMatchObject({
      ...{ action: "verified", jobs: [jobs.collect_job_id], detail: "verified: 120 by size and MD5" },
    });
    const report = () => readFileSync(join(stage.runDir, "report.md"), "utf8");
    expect(report()).toContain("**All 120 objects are proven.**");

    const { names, problems } = await heldBelow(stage.runDir);
    expect([names, problems]).toEqual([expect.arrayContaining(heldHere), []]);
    expect(await heldText(submitted.stdout)).toEqual({ names: ["xfer.run.v1"], problems: [] });

    // What changes at the destination after the copy is named by the proof of the next submission.
    const changed = keys[50] ?? "";
    stage.dest.put("copy", changed, Buffer.from("something else"));
    const again = await stage.xfer("slurm", "submit", "--run-dir", stage.runDir, "--verify", "--json");
    expect(again.code, again.stderr).toBe(0);
    expect(await heldText(again.stdout)).toEqual({ names: ["xfer.submit.v1"], problems: [] });
    const { collect_job_id: second } = JSON.parse(again.stdout) as Jobs;
    await cluster.waitForJob(second, timeoutMs);
    expect(await exitCodeOf(second)).toBe("1:0");
    expect(proofOf(stage)).toMatchObject({
      ...{ verified: false, hash_proven: 119, differs: 1, missing: 0 },
      failures: [{ path: changed, verdict: "differs" }],
    });
    expect(report()).toContain(changed);
  },
  timeoutMs,
);

/** Puts an sbatch before the real one that refuses what has this word, and returns the PATH that has it. */
function refusing(stage: SlurmStage, word: string): string {
  const bin = join(stage.dir, "bin");
  mkdirSync(bin, { recursive: true });
  const script = `case "$*" in *${word}*) echo "QOSMaxSubmitJobPerUserLimit" >&2; exit 1;; esac\nexec /usr/bin/sbatch "$@"`;
  writeFileSync(join(bin, "sbatch"), `#!/bin/bash\n${script}\n`);
  chmodSync(join(bin, "sbatch"), 0o755);
  return `${bin}:/usr/bin:/bin`;
}

test.each([
  ["the verification", "--dependency", 1],
  ["the adding up of the verification", "--collect", 2],
])(
  "where %s is not taken, the copy goes on, and the command that is told submits it alone",
  async (what, word, jobsBefore) => {
    await using stage = await SlurmStage.start(cluster, "refused proof");
    const source = join(stage.dir, "in");
    mkdirSync(source);
    writeFileSync(join(source, "file"), "content");
    const words = stage.runArgs(
      ...["--runtime", "host", "--num-shards", "1", "--source", source, "--dest", join(stage.dir, "out")],
    );
    const argv = [stage.xferPath, ...words, "--submit", "--verify"];
    const env = { PATH: refusing(stage, word) };
    const refused = await cluster.run(argv, { asUser: true, cwd: stage.dir, env });
    expect(refused.code, refused.stderr).toBe(1);
    const jobId = refused.stdout.trim();
    const [, said, command = ""] =
      /job (\d+ copies, but .+ was not submitted): .*QOSMax.*; submit it alone with: (.+)\n/.exec(
        refused.stderr,
      ) ?? [];
    expect(said).toBe(`${jobId} copies, but ${what} was not submitted`);
    expect(linesOf(stage, "submissions.jsonl")).toHaveLength(jobsBefore);
    await cluster.waitForJob(jobId, timeoutMs);
    expect(readFileSync(join(stage.dir, "out", "file"), "utf8")).toBe("content");
    // The job that it is to follow may be through by then.
    const alone = await cluster.run(["sh", "-c", command], {
      ...{ asUser: true, cwd: stage.dir, env: { PATH: `${stage.dir}:/usr/bin:/bin` } },
    });
    expect(alone.code, alone.stderr).toBe(0);
    await cluster.waitForJob(alone.stdout.trim().split("\n").at(-1) ?? "", timeoutMs);
    expect(proofOf(stage), stage.logs()).toMatchObject({ verified: true, size_only: 1 });
  },
  timeoutMs,
);

test(
  "a delta is compared whole by one job, for which --watch waits",
  async () => {
    await using stage = await SlurmStage.start(cluster, "proof of a delta");
    const keys = stage.fill(40);
    for (const key of keys) {
      const mtime = new Date(Number(stage.source.head("data", key)?.metadata.mtime) * 1000);
      stage.dest.put("copy", key, (await stage.source.get("data", key)) ?? new Uint8Array(), { mtime });
    }
    stage.dest.remove("copy", keys[7] ?? "");
    stage.dest.resetCounts();
    const run = await stage.xfer(
      ...stage.runArgs("--num-shards", "2", "--submit", "--verify", "--watch", "--delta", "--json"),
    );
    expect(run.code, run.stderr).toBe(0);
    const { verification, ...account } = JSON.parse(run.stdout);
    expect(account).toMatchObject({ verified: true, copied: { objects: 1 }, unchanged: { objects: 39 } });
    expect(verification).toEqual(proofOf(stage));
    expect(verification).toMatchObject({ hash_proven: 40, extra: 0 });
    expect(linesOf(stage, "submissions.jsonl")).toMatchObject([{ num_shards: 1 }, { kind: "collect" }]);
    // The delta, the look and the proof list it; watching lists nothing more.
    expect(stage.dest.counts.LIST).toBeLessThanOrEqual(4);
    // With nothing to copy there is no job to wait for: it is proven at once.
    const empty = ["--submit", "--verify", "--delta", "--run-dir", join(stage.dir, "empty"), "--json"];
    const atOnce = await stage.xfer(...stage.runArgs(...empty));
    expect(atOnce.code, atOnce.stderr).toBe(0);
    expect(JSON.parse(atOnce.stdout)).toMatchObject({ verified: true, copied: { objects: 0 } });
  },
  timeoutMs,
);

test(
  "what is told of a cluster that has Slurm is what xfer schema says",
  async () => {
    await using stage = await SlurmStage.start(cluster, "schemas");
    const env = { XDG_CONFIG_HOME: join(stage.dir, "config") };
    const told = async (...words: string[]) => {
      const argv = [stage.xferPath, "cluster", ...words, "--json"];
      const result = await cluster.run(argv, { asUser: true, cwd: stage.dir, env });
      expect(result.code, result.stderr).toBe(0);
      return [JSON.parse(result.stdout), await heldText(result.stdout)];
    };
    await told("add", "here", "--host", "local", "--run-root", stage.dir, "--partition", "transfer");
    const [probed, held] = await told("probe", "here");
    expect(probed.clusters[0]).toMatchObject({ problem: null, best_partition: "transfer" });
    expect(held).toEqual({ names: ["xfer.probe.v1"], problems: [] });
    expect((await told("clean", "here"))[1]).toEqual({ names: ["xfer.cluster-clean.v1"], problems: [] });
  },
  timeoutMs,
);
