import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, pollUntil } from "../cluster/cluster.ts";
import { sharedCluster } from "../cluster/shared.ts";
import { heldText } from "../stage/json-schemas.ts";
import { SlurmStage } from "../stage/slurm-stage.ts";

const timeoutMs = 300_000;

/** Partitions beside the cluster's own: one of ten minutes, and one that is down. */
const [short, off] = ["doctorshort", "doctoroff"];

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
  for (const words of [
    [`PartitionName=${short}`, "Nodes=n1", "MaxTime=10", "State=UP"],
    [`PartitionName=${off}`, "Nodes=n2", "State=DOWN"],
  ]) {
    expect(await cluster.run(["scontrol", "create", ...words])).toMatchObject({ code: 0 });
  }
}, timeoutMs);

afterAll(async () => {
  for (const name of [short, off]) await cluster?.run(["scontrol", "delete", `PartitionName=${name}`]);
}, timeoutMs);

interface Check {
  check: string;
  state: string;
  text: string;
  mend: string | null;
}

/** What a doctor says, as JSON; its exit code agrees with it. */
async function doctor(stage: SlurmStage, ...words: string[]) {
  const result = await stage.xfer("doctor", "--json", ...words);
  expect(result.stderr).toBe("");
  const report = JSON.parse(result.stdout) as { failures: number; checks: Check[] };
  expect(await heldText(result.stdout)).toEqual({ names: ["xfer.doctor.v1"], problems: [] });
  const named = (state: string) => report.checks.filter((one) => one.state === state);
  expect(named("failure")).toHaveLength(report.failures);
  expect(result.code).toBe(report.failures > 0 ? 1 : 0);
  for (const { state, mend } of report.checks) expect(mend !== null).toBe(/failure|warning/.test(state));
  return {
    failed: [...new Set(named("failure").map(({ check }) => check))],
    textOf: (name: string) => report.checks.find(({ check }) => check === name)?.text,
    stateOf: (name: string) => report.checks.find(({ check }) => check === name)?.state,
    named,
  };
}

async function rendered(stage: SlurmStage, ...words: string[]): Promise<string> {
  stage.fill(3);
  const result = await stage.xfer(...stage.runArgs("--runtime", "host", "--num-shards", "2", ...words));
  expect(result.code, result.stderr).toBe(0);
  return stage.runDir;
}

const jobs = async () => (await cluster.run(["squeue", "-h", "-n", "xfer"])).stdout;

test(
  "a run that can work: nothing fails, the node's rclone, conf and binary are told, and the probe is gone again",
  async () => {
    await using stage = await SlurmStage.start(cluster, "well");
    stage.fill(3);
    const render = await stage.xfer(...stage.runArgs("--num-shards", "2"));
    expect(render.code, render.stderr).toBe(0);
    const before = await doctor(stage, "--run-dir", stage.runDir);
    expect(before.failed).toEqual([]);
    // Without the user's word no job step is started: what it would tell is not looked at.
    for (const name of ["rclone-runs", "rclone-conf-node", "binary-node", "source", "destination"]) {
      expect(before.textOf(name), name).toContain("--through-srun");
    }
    expect([stage.source.counts.LIST, stage.dest.counts.PUT]).toEqual([stage.source.counts.LIST, 0]);
    stage.source.resetCounts();
    const all = await doctor(stage, "--run-dir", stage.runDir, "--through-srun", "--write-probe");
    expect(all.failed).toEqual([]);
    expect(all.named("warning")).toEqual([]);
    // The test cluster has no accounting.
    expect(all.named("skipped").map(({ check }) => check)).toEqual(["account"]);
    expect(all.textOf("pyxis")).toContain("--container-image");
    expect(all.textOf("rclone-runs")).toMatch(/^v\d+\.\d+.* on n[12]$/);
    expect(all.textOf("rclone-conf-node")).toMatch(/^on n[12]: .*rclone\.conf, mode 0600$/);
    expect(all.textOf("binary-node")).toMatch(/bin\/xfer runs \(\d+\.\d+\.\d+, glibc 2\.\d+\)$/);
    expect(all.textOf("write-probe")).toMatch(/took, gave back and deleted \.xfer-doctor-[0-9a-f-]{36}/);
    const { PUT, GET, DELETE } = stage.dest.counts;
    expect({ PUT, GET, DELETE, keys: stage.dest.keys("copy") }).toEqual({
      PUT: 1,
      GET: 1,
      DELETE: 1,
      keys: [],
    });
    expect([stage.source.counts.PUT, stage.source.counts.GET]).toEqual([0, 0]);
    expect(await jobs()).toBe("");
    const text = await stage.xfer("doctor", "--run-dir", stage.runDir);
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toContain("ok       partition");
    expect(text.stdout).toEndWith("0 failures, 0 warnings, 8 not looked at\n");
    expect(text.stdout).not.toContain("\x1b");
  },
  timeoutMs,
);

describe("what a cluster cannot run is told, with what it can", () => {
  test.each<[string, string[], string, RegExp]>([
    [
      "a partition that is not there",
      ["--partition", "nope"],
      "partition",
      /render with a --partition that is: .*transfer/,
    ],
    ["a partition that is down", ["--partition", off], "partition", /another --partition: .*transfer/],
    [
      "a time limit",
      ["--partition", short, "--time-limit", "11"],
      "time-limit",
      /--time-limit 10 \(minutes\)/,
    ],
    ["memory", ["--partition", "transfer", "--mem", "257000M"], "memory", /--mem 256000M at most/],
    ["CPUs", ["--cpus-per-task", "33"], "cpus", /--cpus-per-task 32 at most/],
    ["an image", ["--rclone-image", "/nowhere/rclone.sqsh"], "image", /put it there/],
  ])(
    "%s",
    async (_, words, check, mend) => {
      await using stage = await SlurmStage.start(cluster, "cannot");
      const { failed, named } = await doctor(stage, ...words);
      expect(failed).toEqual([check]);
      expect(named("failure")[0]?.mend).toMatch(mend);
    },
    timeoutMs,
  );
});

test(
  "an image that nobody may read, an rclone.conf for all eyes, a key that is wrong, an endpoint that is dead",
  async () => {
    await using stage = await SlurmStage.start(cluster, "broken");
    const runDir = await rendered(stage);
    const look = (...words: string[]) => doctor(stage, "--run-dir", runDir, ...words);
    const image = join(stage.dir, "shut.sqsh");
    writeFileSync(image, "", { mode: 0 });
    chownSync(image, 0, 0);
    const shut = await doctor(stage, "--rclone-image", image);
    expect([shut.failed, shut.textOf("image")]).toEqual([["image"], expect.stringContaining("EACCES")]);

    chmodSync(stage.conf, 0o644);
    expect((await look("--through-srun")).failed).toEqual(["rclone-conf", "rclone-conf-node"]);
    chmodSync(stage.conf, 0o600);

    const conf = readFileSync(stage.conf, "utf8");
    writeFileSync(stage.conf, conf.replace(stage.source.secretAccessKey, "another"));
    const wrong = await look("--through-srun");
    expect(wrong.failed).toEqual(["source"]);
    expect(wrong.textOf("source")).toMatch(/^on n[12]: src:data: .*(SignatureDoesNotMatch|403|AccessDenied)/);
    expect(JSON.stringify(wrong.named("failure"))).not.toContain("another");
    writeFileSync(stage.conf, conf);

    // One that takes connections and never answers, and one that is gone.
    const release = stage.dest.inject({ action: "stall" });
    const stalled = await look("--write-probe");
    release();
    expect(stalled.failed).toEqual(["destination", "clock"]);
    expect(stalled.textOf("write-probe")).toStartWith("not tried");
    await stage.source.stop();
    const dead = await look("--through-srun");
    expect(dead.failed).toEqual(["source", "clock"]);
    expect(dead.textOf("source")).toContain("connection refused");
  },
  timeoutMs,
);

test(
  "a probe that the destination refuses, and one that it will not delete",
  async () => {
    await using stage = await SlurmStage.start(cluster, "probe");
    stage.dest.put("copy", "precious", "kept");
    const runDir = await rendered(stage);
    const look = () => doctor(stage, "--run-dir", runDir, "--write-probe");
    let release = stage.dest.inject({ kinds: ["PUT"], action: "forbidden" });
    const refused = await look();
    release();
    expect([refused.failed, stage.dest.keys("copy")]).toEqual([["write-probe"], ["precious"]]);
    expect(refused.textOf("write-probe")).toContain("it could not be put");
    // What could not be read back is deleted all the same.
    release = stage.dest.inject({ kinds: ["GET"], action: "forbidden" });
    const unread = await look();
    release();
    expect([unread.failed, stage.dest.keys("copy")]).toEqual([["write-probe"], ["precious"]]);
    expect(unread.textOf("write-probe")).toContain("it could not be read back");
    release = stage.dest.inject({ kinds: ["DELETE"], action: "forbidden" });
    const kept = await look();
    release();
    expect(kept.failed).toEqual(["write-probe"]);
    const left = stage.dest.keys("copy").filter((key) => key !== "precious");
    expect(left).toHaveLength(1);
    expect(kept.textOf("write-probe")).toContain(`delete ${left[0]} by hand`);
    expect(Buffer.from((await stage.dest.get("copy", "precious")) ?? "").toString()).toBe("kept");
  },
  timeoutMs,
);

test.each(["--executor=local", "--through-srun"])(
  "a doctor that is stopped while its probe is at the destination deletes it: %s",
  async (word) => {
    await using stage = await SlurmStage.start(cluster, "stopped");
    stage.dest.inject({ kinds: ["GET"], action: "stall" });
    const { uid, gid, home } = cluster.user;
    const argv = [stage.xferPath, "doctor", "--runtime", "host", "--rclone-config", stage.conf];
    const child = Bun.spawn(
      [
        ...["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--"],
        ...[...argv, "--dest", "dst:copy", "--write-probe", word],
      ],
      {
        ...{ cwd: stage.dir, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
        env: { PATH: process.env.PATH ?? "", HOME: home, ...cluster.env },
      },
    );
    // It is put, and about to be read back.
    await pollUntil(() => stage.dest.counts.GET > 0 || undefined, {
      timeoutMs: 60_000,
      describe: () => JSON.stringify(stage.dest.counts),
    });
    expect(stage.dest.keys("copy")).toEqual([expect.stringMatching(/^\.xfer-doctor-/)]);
    child.kill("SIGINT");
    expect([await child.exited, await child.stdout.text()]).toEqual([130, ""]);
    expect(await child.stderr.text()).toStartWith("xfer: stopped by SIGINT: ");
    expect(stage.dest.keys("copy")).toEqual([]);
  },
  timeoutMs,
);

test(
  "where tasks could never run nothing is listed or submitted; --force submits all the same, and says so",
  async () => {
    await using stage = await SlurmStage.start(cluster, "refused");
    stage.fill(3);
    const words = [
      "--runtime",
      "host",
      "--num-shards",
      "2",
      "--submit",
      "--partition",
      short,
      "--time-limit",
      "11",
    ];
    const early = await stage.xfer(...stage.runArgs(...words));
    expect(early).toMatchObject({ code: 1, stdout: "" });
    expect(early.stderr).toStartWith(`xfer: time-limit: 11m00s is over the limit of ${short}, 10m00s`);
    expect(early.stderr).toEndWith(": nothing was submitted; --force submits all the same\n");
    expect([stage.source.counts.total, existsSync(stage.runDir)]).toEqual([0, false]);

    const runDir = await rendered(stage, "--partition", short, "--time-limit", "11", "--mem", "257000M");
    const submit = (...more: string[]) => stage.xfer("slurm", "submit", "--run-dir", runDir, ...more);
    const refused = await submit();
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    const lines = refused.stderr.trimEnd().split("\n");
    expect(lines).toEqual([
      expect.stringMatching(/error: time-limit: .*: render with --time-limit 10 /),
      expect.stringMatching(/error: memory: .*: render with --mem 256000M at most$/),
      "xfer: 2 checks failed: nothing was submitted; --force submits all the same",
    ]);
    expect([existsSync(join(runDir, "submissions.jsonl")), await jobs()]).toEqual([false, ""]);
    const doctored = await doctor(stage, "--run-dir", runDir);
    expect(doctored.failed).toEqual(["time-limit", "memory", "submission"]);

    await rendered(stage, "--partition", short, "--time-limit", "11");
    const forced = await submit("--force");
    expect(forced.code, forced.stderr).toBe(0);
    expect(forced.stderr).toContain("(submitted all the same: --force)");
    expect(readFileSync(join(runDir, "submissions.jsonl"), "utf8")).toContain(forced.stdout.trim());
    // As the refusal said, it waits for ever.
    const waiting = await cluster.run(["squeue", "-h", "-j", forced.stdout.trim(), "-o", "%T %r"]);
    expect(waiting.stdout).toMatch(/^PENDING Partition(?:TimeLimit|Config)$/m);
    await cluster.run(["scancel", forced.stdout.trim()]);
  },
  timeoutMs,
);

test(
  "an rclone.conf that is gone from the run's own file system is refused; --no-image-check still is the image's alone",
  async () => {
    await using stage = await SlurmStage.start(cluster, "gone");
    const runDir = await rendered(stage);
    const kept = `${stage.conf}.kept`;
    copyFileSync(stage.conf, kept);
    await cluster.run(["rm", stage.conf]);
    const refused = await stage.xfer("slurm", "submit", "--run-dir", runDir, "--no-image-check");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toStartWith(`xfer: rclone-conf: ${stage.conf}: no such file: put it there`);
    copyFileSync(kept, stage.conf);
    chownSync(stage.conf, cluster.user.uid, cluster.user.gid);
    const submitted = await stage.xfer("slurm", "submit", "--run-dir", runDir);
    expect(submitted, submitted.stderr).toMatchObject({ code: 0, stderr: "" });
    await cluster.waitForJob(submitted.stdout.trim(), timeoutMs);
    expect(stage.states("done")).toHaveLength(2);
  },
  timeoutMs,
);

test(
  "a runtime that is not on the nodes, an image that is not there for them, and a folder that is shut",
  async () => {
    await using stage = await SlurmStage.start(cluster, "noruntime");
    stage.fill(3);
    const places = ["--rclone-config", stage.conf, "--source", "src:data", "--through-srun"];
    const none = await doctor(stage, ...places, "--runtime", "apptainer", "--rclone-image", cluster.imageDir);
    expect(none.failed).toEqual(["rclone-runs"]);
    expect(none.textOf("rclone-runs")).toMatch(/^on n[12]: .*apptainer: not found/);
    expect(none.textOf("source")).toMatch(/^not looked at: rclone did not run on n[12]$/);
    const image = "/nowhere/rclone.sqsh";
    const gone = await doctor(stage, ...places, "--rclone-image", image);
    expect([gone.failed, gone.textOf("rclone-runs")]).toEqual([
      ["image", "rclone-runs"],
      expect.stringContaining(image),
    ]);
    const shut = join(stage.dir, "shut");
    await cluster.run(["mkdir", "-m", "755", shut]);
    const words = ["--runtime", "host", "--source", stage.dir, "--dest", shut, "--write-probe"];
    const closed = await doctor(stage, ...words, "--through-srun");
    expect([closed.failed, closed.textOf("destination")]).toEqual([
      ["destination"],
      expect.stringContaining(`${shut}: it may not be written`),
    ]);
    expect(closed.stateOf("source")).toBe("ok");
  },
  timeoutMs,
);

test(
  "without Slurm: a machine's own run is looked at where it is",
  async () => {
    await using stage = await SlurmStage.start(cluster, "here");
    stage.fill(3);
    const out = join(stage.dir, "not", "yet");
    const words = [
      "--executor",
      "local",
      "--rclone-config",
      stage.conf,
      "--source",
      "src:data",
      "--dest",
      out,
    ];
    const found = await doctor(stage, ...words, "--write-probe");
    expect(found.failed).toEqual([]);
    expect(found.stateOf("slurm")).toBe("skipped");
    expect([
      found.stateOf("source"),
      found.stateOf("write-probe"),
      existsSync(join(stage.dir, "not")),
    ]).toEqual([...["ok", "ok"], false]);
    const wrong = await stage.xfer("doctor", ...words, "--through-srun");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
  },
  timeoutMs,
);
