import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Stage, startXfer, state, timeoutMs, until, xfer } from "../stage/harness.ts";
import { type Held, heldBelow, heldText } from "../stage/json-schemas.ts";

/** Schemas of which no value is made here, and why. */
const elsewhere: Readonly<Record<string, string>> = {
  "xfer.submission.v1": "of a submitted job: test/e2e/proof-in-queue.test.ts",
  "xfer.submit.v1": "of a submitted job: test/e2e/proof-in-queue.test.ts",
  "xfer.shard-verify.v1": "of a verifying task: test/e2e/proof-in-queue.test.ts",
  "xfer.cluster-clean.v1": "asks Slurm: test/e2e/proof-in-queue.test.ts",
  "xfer.lease.v1": "of jobs that are in the queue: test/e2e/steering.test.ts",
  "xfer.destination.v1": "written by earlier builds alone",
  "xfer.part.v1": "kept of a listing that failed: test/e2e/parts.test.ts",
  "xfer.parts.v1": "kept of a listing that failed: test/e2e/parts.test.ts",
  "xfer.far.v1": "goes over ssh, never into a file",
  "xfer.pull.v1": "goes over ssh, never into a file",
  "xfer.stage.v1": "goes over ssh, never into a file",
  "xfer.session.v1": "is there while a command runs at a cluster",
};

/** Holds outputs and files against what xfer schema prints, and notes which schemas there were. */
class Holder {
  readonly seen = new Set<string>();

  take({ names, problems }: Held, where: string): void {
    expect(problems, where).toEqual([]);
    for (const name of names) this.seen.add(name);
  }

  /** Runs the words, whose output must be JSON of this name, a line or more. */
  async output(stage: Stage, name: string, words: string[], code = 0): Promise<void> {
    const env = { XDG_CONFIG_HOME: join(stage.dir, "config") };
    const result = await xfer(words, { cwd: stage.dir, env });
    expect(result.code, `${words.join(" ")}: ${result.stderr}`).toBe(code);
    const held = await heldText(result.stdout);
    expect(held.names, words.join(" ")).toEqual([name]);
    this.take(held, words.join(" "));
  }
}

/** What commands print of manifests, and of themselves. */
async function holdOutputs(held: Holder, stage: Stage): Promise<void> {
  const host = ["--runtime", "host", "--rclone-config", stage.conf, "--json"];
  const roots = ["--source", "src:data", "--dest", "dst:copy"];
  const m = join(stage.dir, "m.jsonl");
  const conf = (what: string) => ["rclone-config", what, "--cluster", "here", "--remotes", "src", "--json"];
  const rows: [string, string[]][] = [
    ["xfer.build.v1", ["manifest", "build", ...roots, ...host, "--out", m]],
    ["xfer.rebase.v1", ["manifest", "rebase", "--in", m, "--out", `${m}.2`, "--dest-root", "/x", "--json"]],
    ["xfer.shards.v1", ["manifest", "shard", "--in", m, "--outdir", "s", "--num-shards", "2", "--json"]],
    ["xfer.analysis.v1", ["manifest", "analyze", "--in", m, "--json"]],
    [
      "xfer.estimate.v1",
      ["manifest", "estimate", "--in", m, "--min-rate", "1Gbps", "--max-rate", "2Gbps", "--json"],
    ],
    ["xfer.delta.v1", ["manifest", "delta", "--in", m, "--out", `${m}.3`, ...host]],
    ["xfer.run.v1", ["run", ...roots, ...host, "--run-dir", "array", "--delta"]],
    ["xfer.runconfig.v1", ["slurm", "render", "--run-dir", "array", ...host]],
    ["xfer.skills.v1", ["skills", "list", "--json"]],
    ["xfer.skills-install.v1", ["skills", "install", "--json"]],
    ["xfer.version.v1", ["version", "--json"]],
    ["xfer.schema.v1", ["schema", "--json"]],
    [
      "xfer.cluster.v1",
      [
        "cluster",
        "add",
        "here",
        "--host",
        "local",
        "--run-root",
        `${stage.dir}/far`,
        "--rclone-config",
        `${stage.dir}/far.conf`,
        "--mount",
        "src:data=/mnt",
        "--json",
      ],
    ],
    ["xfer.cluster.v1", ["cluster", "show", "here", "--json"]],
    ["xfer.clusters.v1", ["cluster", "list", "--json"]],
    ["xfer.explain.v1", ["verify", "--run-dir", "array", "--cluster", "here", "--explain", "--json"]],
    ["xfer.probe.v1", ["cluster", "probe", "here", "--json"]],
    ["xfer.rclone-config-deployed.v1", [...conf("deploy"), "--from", stage.conf, "--yes"]],
    ["xfer.rclone-config.v1", conf("check")],
    ["xfer.staged.v1", ["stage", "--run-dir", "array", "--cluster", "here", "--json"]],
    ["xfer.pulled.v1", ["pull", "--run-dir", "array", "--cluster", "here", "--json"]],
    ["xfer.cluster-removed.v1", ["cluster", "remove", "here", "--json"]],
  ];
  for (const [name, words] of rows) await held.output(stage, name, words);
}

/** What is printed of a run on one machine in which an object has failed. */
async function holdFailed(held: Holder, stage: Stage, key: string): Promise<void> {
  const of = ["--run-dir", "run"];
  const rows: [string, string[], number][] = [
    ["xfer.verify.v1", ["verify", ...of, "--json"], 1],
    ["xfer.status.v1", ["status", ...of, "--shards", "--json"], 1],
    ["xfer.status.v1", ["status", ...of, "--watch", "--json"], 1],
    ["xfer.status.v1", ["wait", ...of, "--json"], 1],
    ["xfer.report.v1", ["report", ...of, "--format", "json"], 0],
    ["xfer.log.v1", ["logs", ...of, "--json"], 0],
    ["xfer.object.v1", ["logs", ...of, "--object", key, "--json"], 0],
    ["xfer.doctor.v1", ["doctor", ...of, "--executor", "local", "--json"], 0],
    ["xfer.retry.v1", ["retry", ...of, "--json"], 1],
    ["xfer.cancel.v1", ["cancel", ...of, "--json"], 0],
    ["xfer.throttle.v1", ["throttle", "4", ...of, "--json"], 0],
    ["xfer.throttle.v1", ["throttle", "--auto", "--every", "1", ...of, "--json"], 0],
    ["xfer.pause.v1", ["pause", ...of, "--json"], 0],
    ["xfer.status.v1", ["status", ...of, "--json"], 1],
    ["xfer.resume.v1", ["resume", ...of, "--json"], 0],
  ];
  for (const [name, words, code] of rows) await held.output(stage, name, words, code);
}

/** A run that is paused while it copies, and what is printed of it before and after. */
async function holdPaused(held: Holder, stage: Stage): Promise<void> {
  const of = ["--run-dir", "paused", "--json"];
  const release = stage.source.inject({ kinds: ["GET"], action: { delayMs: 60_000 } });
  const begun = startXfer(stage.runArgs("--num-shards", "2", "--dest", "dst:copy/paused", ...of), {
    cwd: stage.dir,
  });
  await until("a heartbeat", () => state(join(stage.dir, "paused"), 0, "progress"));
  await held.output(stage, "xfer.status.v1", ["status", ...of], 75);
  await held.output(stage, "xfer.pause.v1", ["pause", ...of]);
  const { code, stdout } = await begun.result;
  expect(code).toBe(75);
  held.take(await heldText(stdout), "xfer run");
  release();
  await held.output(stage, "xfer.status.v1", ["status", "--shards", ...of], 75);
  await held.output(stage, "xfer.status.v1", ["wait", "--timeout", "1s", ...of], 75);
  await held.output(stage, "xfer.report.v1", ["report", "--run-dir", "paused", "--format", "json"]);
  held.take(await heldBelow(join(stage.dir, "paused")), "paused");
  await held.output(stage, "xfer.resume.v1", ["resume", ...of]);
}

test(
  "what commands print and write is what xfer schema says, field by field",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(24, 2_000);
    const held = new Holder();
    await holdOutputs(held, stage);
    // A run in which an object fails; while it runs there are its locks.
    const allow = stage.source.inject({
      ...{ kinds: ["GET"], match: ({ key }) => key === keys[20], action: "forbidden" },
    });
    const release = stage.source.inject({ kinds: ["GET"], action: { delayMs: 1_000 } });
    const failing = startXfer(stage.runArgs("--num-shards", "2", "--json"), { cwd: stage.dir });
    const folder = join(stage.runDir, "state");
    await until(
      "a heartbeat",
      () => existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".progress")),
    );
    held.take(await heldBelow(folder), folder);
    release();
    const { code, stdout } = await failing.result;
    expect(code).toBe(1);
    held.take(await heldText(stdout), "xfer run");
    await holdFailed(held, stage, keys[20] ?? "");
    held.take(await heldBelow(stage.runDir), stage.runDir);
    allow();
    await holdPaused(held, stage);
    // A look at the destination that is refused.
    stage.dest.inject({ kinds: ["LIST"], action: "forbidden" });
    const unseen = stage.runArgs("--num-shards", "2", "--run-dir", "unseen", "--json");
    await held.output(stage, "xfer.account.v1", unseen, 1);
    held.take(await heldBelow(join(stage.dir, "unseen")), "unseen");
    expect(Object.keys(elsewhere).filter((name) => held.seen.has(name))).toEqual([]);
    const { schemas } = JSON.parse((await stage.xfer("schema", "--json")).stdout) as {
      schemas: { name: string }[];
    };
    expect(
      schemas.map(({ name }) => name).filter((name) => !held.seen.has(name) && !elsewhere[name]),
      // A claim is there only while an agent looks at the destination.
    ).toEqual(held.seen.has("xfer.claim.v1") ? [] : ["xfer.claim.v1"]);
  },
  timeoutMs,
);
