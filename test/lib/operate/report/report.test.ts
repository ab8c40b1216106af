import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import { readReport } from "../../../../lib/operate/report/report.ts";
import { reportSchema } from "../../../../lib/operate/report/schema.ts";
import { shardLayout } from "../../../../lib/run/layout.ts";
import { noteSubmission } from "../../../../lib/run/submissions.ts";
import { temporaryDirectory } from "../../../stage/harness.ts";
import { type MadeShard, madeAt, makeRun, minuteAt } from "./made-run.ts";

const now = new Date(minuteAt(60));
const reportOn = (runDir: string) => readReport({ runDir, version: "7.7.7", now });

const mixed: MadeShard[] = [
  {
    ...{ keys: ["a", "b"], end: "done", node: "n1", minutes: [1, 4] },
    samples: [
      [2, 1, 0, 5],
      [3, 1, 1, 12],
    ],
  },
  {
    ...{ keys: ["c", "d", "e"], proven: [0], end: "failed", node: "n2", minutes: [2, 5] },
    errors: [{ path: "d", class: "auth", message: "open d: refused" }],
    attempt: { attempt: 2, lost_starts: 1, bad_nodes: ["n9"] },
  },
  { keys: ["f"], end: "stopped", attempt: { stopped_by: "preemption", preemptions: 1 } },
  { keys: ["g"], end: "running", node: "n3" },
  { keys: ["h"] },
];

test("a run of every kind of shard: the account adds up, and each shard has its row", async () => {
  using dir = temporaryDirectory();
  const run = makeRun(dir.path, mixed);
  noteSubmission(run, { jobId: "7", numShards: 5, numTasks: 5, now: new Date(minuteAt(1)) });
  const report = await reportOn(dir.path);
  expect(v.parse(reportSchema, { ...report, objects: [] })).toEqual({ ...report, objects: [] });
  const { listed, copied, unchanged, failed, unfinished, untransferable } = report;
  const parts = [copied, unchanged, failed, unfinished, untransferable];
  expect(parts.map(({ objects }) => objects)).toEqual([3, 0, 2, 3, 0]);
  expect(listed).toEqual({ objects: 8, bytes: 80 });
  expect(report.verdict).toBe("unfinished");
  expect(report.shard_list.map(({ state, starts, node, proven }) => [state, starts, node, proven])).toEqual([
    ["done", 1, "n1", 2],
    ["failed", 2, "n2", 1],
    ["stopped", 1, "n1", 0],
    ["under-way", 1, "n3", 0],
    ["waiting", 0, null, 0],
  ]);
  expect(report.proof).toMatchObject({ by_rclone: 3, not_proven: 5, verification: null });
  expect(report.causes).toEqual([
    {
      ...{ class: "auth", reason: "open d: refused", num_shards: 1 },
      ...{ objects: 1, bytes: 10, at_least: true },
    },
  ]);
  expect(report.attempts).toMatchObject({
    ...{ starts: 5, lost_starts: 1, preemptions: 1, bad_nodes: [{ node: "n9", shards: 1 }] },
    ...{ started_at: minuteAt(1), ended_at: minuteAt(5) },
  });
  expect(report.timeline.map(({ what }) => what)).toEqual([
    ...["cut", "rendered", "began", "submitted", "restarted", "restarted", "stopped", "last end", "failed"],
  ]);
  expect(report.throughput.sampled_shards).toBe(1);
  const seconds = report.throughput.bucket_seconds ?? 0;
  const bytes = report.throughput.points.reduce((sum, point) => sum + point.bytes_per_second * seconds, 0);
  expect(bytes).toBeCloseTo(30, 0);
  expect(report.versions.xfer).toEqual({ rendered: "9.9.9", verified: null, report: "7.7.7" });
  expect(report.versions.rclone).toEqual({ copied: null, verified: null, here: null });
  expect(report.digests.map(({ file }) => file)).toEqual([
    ...["manifest.jsonl", "shards/shards.meta.json", "config.resolved.json"],
  ]);
  expect(report.warnings).toEqual([]);
});

test("a run without samples has its throughput from starts and ends", async () => {
  using dir = temporaryDirectory();
  makeRun(dir.path, [{ keys: ["a", "b"], end: "done", minutes: [0, 1] }]);
  const { points, sampled_shards, bucket_seconds } = (await reportOn(dir.path)).throughput;
  expect([sampled_shards, bucket_seconds]).toEqual([0, 1]);
  expect(points.slice(0, 60).every(({ shards }) => shards === 1)).toBe(true);
});

test("a run that was not begun, and one that is not cut", async () => {
  using dir = temporaryDirectory();
  const run = makeRun(dir.path, [{ keys: ["a"] }]);
  expect(await reportOn(dir.path)).toMatchObject({
    ...{ verdict: "unfinished", throughput: { points: [], bucket_seconds: null } },
    attempts: { starts: 0, started_at: null },
  });
  rmSync(run.shardsDir, { recursive: true });
  rmSync(run.stateDir, { recursive: true });
  rmSync(run.config);
  const bare = await reportOn(dir.path);
  expect(bare).toMatchObject({ verdict: "unfinished", listed: { objects: 0 }, asked: { config: null } });
  expect(bare.warnings.join()).toContain("not cut into shards");
});

test("the worst of state files are survived and said", async () => {
  using dir = temporaryDirectory();
  const run = makeRun(dir.path, mixed);
  const one = shardLayout(run, 0);
  writeFileSync(one.done, "");
  writeFileSync(one.attempt, '{"schema":"xfer.attempt.v9"}');
  writeFileSync(one.samples, 'torn\n{"at":"9999-01-01T00:00:00Z","attempt":1}\n[]\n');
  writeFileSync(shardLayout(run, 1).fail, "{");
  writeFileSync(run.config, "[]");
  writeFileSync(run.verifyTotals, "{}");
  appendFileSync(run.events, 'null\n{"schema":"xfer.event.v1"}\n\n');
  appendFileSync(run.submissions, "7\n");
  mkdirSync(`${run.stateDir}/shard_x.done`);
  const report = await reportOn(dir.path);
  expect(report.warnings).toHaveLength(5);
  expect(report.asked).toMatchObject({ source_root: "src:bucket/set", config: null });
  expect(report.shard_list.map(({ state }) => state)).toEqual([
    "waiting",
    "stopped",
    "stopped",
    "under-way",
    "waiting",
  ]);
});

describe("what is no run directory is refused", () => {
  test.each<[string, (dir: string) => string, RegExp]>([
    ["nothing", (dir) => `${dir}/none`, /no such folder: not a run directory/],
    ["an empty folder", (dir) => dir, /has neither a manifest nor shards/],
    [
      "a file",
      (dir) => {
        writeFileSync(`${dir}/file`, "");
        return `${dir}/file`;
      },
      /is no folder: not a run directory/,
    ],
  ])("%s", async (_, make, says) => {
    using dir = temporaryDirectory();
    const error = await reportOn(make(dir.path)).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(says);
    expect(error).toMatchObject({ exitCode: 2 });
  });
});

test("a time that is none is left out, and one of another form is told as all others", async () => {
  using dir = temporaryDirectory();
  const run = makeRun(dir.path, [{ keys: ["a"], end: "failed" }]);
  const { fail } = shardLayout(run, 0);
  writeFileSync(fail, readFileSync(fail, "utf8").replace(/"failed_at":"[^"]*"/, '"failed_at":"<b>"'));
  const event = { schema: "xfer.event.v1", action: "paused", by: "a@b", jobs: [], detail: "" };
  const lines = ["1 Jan 2026 00:01 UTC (<i>)", "soon"].map((at) => `${JSON.stringify({ ...event, at })}\n`);
  writeFileSync(run.events, lines.join(""));
  const { shard_list, timeline } = await reportOn(dir.path);
  expect(shard_list[0]).toMatchObject({ state: "failed", ended_at: null });
  expect(timeline.filter(({ what }) => what === "paused").map(({ at }) => at)).toEqual([minuteAt(1)]);
});

test("a run has as many starts as its shards say, at whatever time it was made", async () => {
  using dir = temporaryDirectory();
  makeRun(dir.path, [{ keys: ["a"], end: "done", minutes: [1, 2] }]);
  const { shard_list } = await reportOn(dir.path);
  expect(shard_list[0]?.spans).toEqual([
    { attempt: 1, node: "n1", from: minuteAt(1), to: minuteAt(2), outcome: "done" },
  ]);
  expect(Date.parse(shard_list[0]?.started_at ?? "")).toBeGreaterThan(Date.parse(madeAt));
});
