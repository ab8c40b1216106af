import { afterEach, beforeEach, expect, mock, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderRun } from "../../../lib/launch/render.ts";
import type { RenderOptions } from "../../../lib/launch/request.ts";
import { submitRun } from "../../../lib/launch/submit.ts";
import { submitPipeline } from "../../../lib/launch/submit-proof.ts";
import { runLayout } from "../../../lib/run/layout.ts";
import { writeControl } from "../../../lib/run/state/control.ts";
import { log } from "../../../lib/system/log.ts";
import { recordLine } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { standIns } from "../slurm/stand-ins.ts";
import { requestOf } from "./request-of.ts";

const warnings: string[] = [];

beforeEach(() => {
  warnings.length = 0;
  spyOn(log, "warn").mockImplementation(((text: unknown) => warnings.push(String(text))) as never);
});

afterEach(() => {
  mock.restore();
});

const now = new Date("2026-11-25T08:00:00.000Z");

/** A rendered run of so many shards, whose agent is the true of this machine. */
async function renderedRun(
  dir: string,
  numShards: number,
  more: Partial<RenderOptions> = {},
): Promise<string> {
  const request = { ...requestOf(dir), agent: { path: "/bin/true" }, ...more };
  const shards = join(request.runDir, "shards");
  mkdirSync(shards, { recursive: true });
  writeFileSync(request.manifestPath, recordLine({ path: "a", size: 1 }));
  const entries = Array.from({ length: numShards }, () => ({ records: 1, bytes: 1, sha256: "a".repeat(64) }));
  const meta = {
    ...{
      schema: "xfer.shards.v1",
      input: "manifest.jsonl",
      outdir: "shards",
      strategy: "bytes",
      created_at: "",
    },
    ...{ num_shards: numShards, num_records: numShards, bytes_total: numShards, keys_distinct: true },
    ...{ source_root: "src:bucket/set", dest_root: "dst:bucket/set", shards: entries },
  };
  writeFileSync(join(shards, "shards.meta.json"), JSON.stringify(meta));
  await renderRun(request);
  return request.runDir;
}

/** A Slurm that takes every array, with these limits. */
const slurmOf = (limits: string) => ({ sbatch: "echo 4711", scontrol: `echo '${limits}'` });

test.each<[string, number, string, string[], string[], number]>([
  ["as many as there are shards", 1_001, "MaxArraySize = 1001", [], [], 1_001],
  ["one shard", 1, "MaxArraySize = 1001", [], [], 1],
  [
    "fewer than there are shards",
    2_500,
    "MaxArraySize = 1001",
    ["--array=0-1000%64"],
    ["--stride", "1001"],
    1_001,
  ],
  ["one for all shards", 10, "MaxArraySize = 1", ["--array=0%64"], ["--stride", "1"], 1],
])("the words of a submission where the tasks are %s", async (_, shards, limits, array, stride, tasks) => {
  using dir = temporaryDirectory("xfer-submit ");
  const runDir = await renderedRun(dir.path, shards);
  using slurm = standIns(dir.path, slurmOf(limits));
  const agentArgs = ["--max-attempts", "3"];
  expect(await submitRun(runDir, { now, imageCheck: true, agentArgs })).toBe("4711");
  expect(slurm.calls().filter(([program]) => program === "sbatch")).toEqual([
    [
      ...["sbatch", "--parsable", "--export=NONE", `--output=${runDir}/logs/slurm_%A_%a.out`],
      ...[...array, "sbatch_array.sh", ...stride, ...agentArgs],
    ],
  ]);
  expect(readFileSync(join(runDir, "submissions.jsonl"), "utf8")).toBe(
    `{"schema":"xfer.submission.v1","job_id":"4711","num_shards":${shards},"num_tasks":${tasks},` +
      `"submitted_at":"2026-11-25T08:00:00.000Z"}\n`,
  );
  const event = JSON.parse(readFileSync(join(runDir, "events.jsonl"), "utf8"));
  expect(event).toMatchObject({ schema: "xfer.event.v1", action: "submitted", jobs: ["4711"] });
  expect(existsSync(join(runDir, "logs")) && existsSync(join(runDir, "state"))).toBe(true);
  expect(warnings).toEqual([]);
});

test("the words of a run's three jobs, where the tasks are fewer than the shards", async () => {
  using dir = temporaryDirectory("xfer-submit ");
  const runDir = await renderedRun(dir.path, 10);
  const state = join(runDir, "state");
  mkdirSync(state, { recursive: true });
  const earlier = ["verify.json", "state/shard_3.verify", "state/shard_3.verify.jsonl", "state/shard_3.done"];
  for (const name of earlier) writeFileSync(join(runDir, name), "");
  using slurm = standIns(dir.path, slurmOf("MaxArraySize = 4"));
  const options = { now, imageCheck: true, checksum: "auto", allowsUntransferable: true } as const;
  expect(await submitPipeline(runDir, options)).toEqual({
    ...{ jobId: "4711", verifyJobId: "4711", collectJobId: "4711", problem: undefined },
  });
  const array = ["--array=0-3%64"];
  const stride = ["sbatch_array.sh", "--stride", "4"];
  const after = "--dependency=afterany:4711";
  expect(
    slurm.calls().flatMap(([program, ...words]) => (program === "sbatch" ? [words.slice(3)] : [])),
  ).toEqual([
    [...array, ...stride],
    [...array, after, ...stride, "--verify", "auto"],
    ["--array=0", after, "sbatch_array.sh", "--collect", "--verify", "auto", "--allow-untransferable"],
  ]);
  // What an earlier verification found could be taken for this one's.
  expect(earlier.filter((name) => existsSync(join(runDir, name)))).toEqual(earlier.slice(2));
});

test("an array of some shards alone", async () => {
  using dir = temporaryDirectory("xfer-submit ");
  const runDir = await renderedRun(dir.path, 50);
  using slurm = standIns(dir.path, slurmOf("MaxArraySize = 1001"));
  expect(await submitRun(runDir, { now, imageCheck: false, shards: [44, 3, 40, 17, 41, 42, 43] })).toBe(
    "4711",
  );
  const words = slurm.calls().find(([program]) => program === "sbatch");
  expect(words?.slice(-2)).toEqual(["--array=3,17,40-44%64", "sbatch_array.sh"]);
  expect(readFileSync(join(runDir, "submissions.jsonl"), "utf8")).toContain('"num_shards":7,"num_tasks":7');
});

test("a paused run is not submitted, but for its comparison", async () => {
  using dir = temporaryDirectory("xfer-submit ");
  const runDir = await renderedRun(dir.path, 2);
  mkdirSync(join(runDir, "state"), { recursive: true });
  const pause = {
    schema: "xfer.control.v1",
    wanted: "pause",
    at: "2026-11-25T07:00:00Z",
    by: "ann@login",
  } as const;
  writeControl(runLayout(runDir).control, pause);
  using slurm = standIns(dir.path, slurmOf("MaxArraySize = 1001"));
  const error = await submitRun(runDir, { now, imageCheck: false }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    exitCode: 2,
    message: `${runDir}: the run is paused since 2026-11-25T07:00:00Z by ann@login: go on with xfer resume --run-dir '${runDir}'`,
  });
  expect(slurm.calls()).toEqual([]);
  expect(await submitRun(runDir, { now, imageCheck: false, kind: "verify" })).toBe("4711");
});

test("a job that was taken all the same is noted, with a warning", async () => {
  using dir = temporaryDirectory("xfer-submit ");
  const runDir = await renderedRun(dir.path, 1);
  using _ = standIns(dir.path, { sbatch: "echo 12; exit 1", scontrol: "" });
  expect(await submitRun(runDir, { now, imageCheck: false })).toBe("12");
  expect(warnings).toEqual([
    expect.stringContaining("sbatch ended with exit code 1 after it gave the job id 12"),
  ]);
  expect(readFileSync(join(runDir, "submissions.jsonl"), "utf8")).toContain('"job_id":"12"');
});

type Break = (runDir: string, dir: string) => void;

test.each<[string, Partial<RenderOptions>, Break, object]>([
  [
    "there is no batch script",
    {},
    (run) => unlinkSync(join(run, "sbatch_array.sh")),
    {
      exitCode: 2,
      message: expect.stringContaining("sbatch_array.sh: no such file: render and shard the run first"),
    },
  ],
  [
    "there are no shards",
    {},
    (run) => rmSync(join(run, "shards"), { recursive: true }),
    { exitCode: 2, message: expect.stringContaining("shards.meta.json: no such file") },
  ],
  [
    "there is no configuration",
    {},
    (run) => unlinkSync(join(run, "config.resolved.json")),
    { exitCode: 2, message: expect.stringContaining("not a rendered run directory") },
  ],
  [
    "the agent does not start",
    {},
    (run, dir) => {
      writeFileSync(join(run, "bin", "agent-path"), `${join(dir, "agent")}\n`);
    },
    { exitCode: 1, message: expect.stringContaining("cannot be executed") },
  ],
  [
    "the image is not there",
    { rclone: { ...requestOfPyxis(), image: "/nowhere/rclone.sqsh" } },
    () => {},
    {
      exitCode: 1,
      message: expect.stringContaining("/nowhere/rclone.sqsh: no such image here, nothing was submitted"),
    },
  ],
])("where %s nothing is submitted", async (_, more, breaks, expected) => {
  using dir = temporaryDirectory("xfer-submit ");
  const runDir = await renderedRun(dir.path, 1, more);
  breaks(runDir, dir.path);
  using slurm = standIns(dir.path, slurmOf(""));
  const error = await submitRun(runDir, { now, imageCheck: true }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject(expected);
  expect(slurm.calls().filter(([program]) => program === "sbatch")).toEqual([]);
  expect(existsSync(join(runDir, "submissions.jsonl"))).toBe(false);
});

function requestOfPyxis(): Omit<RenderOptions["rclone"], "image"> {
  return { runtime: "pyxis", configPath: undefined, confInContainer: "/etc/rclone.conf", pyxisExtra: [] };
}

test("a cluster without job arrays, one that refuses, and a stop before it is asked: nothing is noted", async () => {
  using dir = temporaryDirectory("xfer-submit ");
  const runDir = await renderedRun(dir.path, 1);
  const failed = (stop?: AbortSignal) =>
    submitRun(runDir, { now, imageCheck: true, ...(stop && { stop }) }).catch((thrown: unknown) => thrown);
  {
    using slurm = standIns(dir.path, slurmOf("MaxArraySize = 0"));
    expect(await failed()).toMatchObject({ exitCode: 1, message: expect.stringContaining("no job arrays") });
    expect(slurm.calls().some(([program]) => program === "sbatch")).toBe(false);
  }
  using other = temporaryDirectory("xfer-submit ");
  {
    using slurm = standIns(other.path, { sbatch: "echo 'no such account' >&2; exit 1", scontrol: "" });
    expect(await failed(AbortSignal.abort("SIGINT"))).toMatchObject({ exitCode: 130 });
    expect(slurm.calls().some(([program]) => program === "sbatch")).toBe(false);
    expect(await failed()).toMatchObject({
      exitCode: 1,
      message: expect.stringContaining("no such account"),
    });
  }
  expect(existsSync(join(runDir, "submissions.jsonl"))).toBe(false);
});
