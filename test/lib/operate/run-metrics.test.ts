import { expect, test } from "bun:test";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expositionText, type MetricFamily } from "../../../lib/operate/exposition.ts";
import { RunMetrics, shardStateOf } from "../../../lib/operate/run-metrics.ts";
import { RunReader, type ShardFacts } from "../../../lib/operate/run-reader.ts";
import type { ShardEntry } from "../../../lib/shard/meta.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const now = Date.parse("2026-11-25T08:00:00.000Z");
const secondsAgo = (seconds: number) => new Date(now - seconds * 1000).toISOString();
const digest = "a".repeat(64);
const entry: ShardEntry = { records: 10, bytes: 1_000, sha256: digest };

const done = {
  ...{ schema: "xfer.done.v1", shard: 0, sha256: digest, records: 10, bytes: 1_000 },
  ...{ copied: 8, copied_bytes: 800, attempt: 2, node: "n", finished_at: secondsAgo(100) },
};
const fail = {
  ...{ schema: "xfer.fail.v1", shard: 0, sha256: digest, class: "network", final: true, message: "m" },
  ...{
    exit_code: 1,
    records: 10,
    bytes: 1_000,
    proven: 4,
    proven_bytes: 400,
    unchanged: 1,
    unchanged_bytes: 100,
  },
  ...{ failed: 6, failed_bytes: 600, attempt: 1, node: "n", failed_at: secondsAgo(50) },
  errors: [
    { path: "a", size: 1, class: "auth", message: "m" },
    { path: "b", size: 1, class: "missing", message: "m" },
  ],
};
const progress = {
  ...{ schema: "xfer.progress.v1", shard: 0, sha256: digest, attempt: 1, pass: 1, node: "n", records: 10 },
  ...{ bytes: 1_000, objects_done: 4, bytes_done: 400, objects_unchanged: 1, bytes_unchanged: 100 },
  ...{ bytes_in_flight: 50, bytes_per_second: 11, eta_seconds: 50, errors: 3, throttled: 7, plan: "" },
  ...{ throttling: { refused: 1, requests: 4, transfers: 8, wanted: 32 }, updated_at: secondsAgo(5) },
};
const attempt = {
  ...{ schema: "xfer.attempt.v1", shard: 0, sha256: digest, attempt: 3, submission: "slurm:1", spent: 1 },
  ...{ walltime_stops: 1, preemptions: 0, lost_starts: 1, other_stops: 0, outcome: "running" },
  ...{
    proven_at_start: 0,
    ...{ node: "n", host: "h" },
    started_at: secondsAgo(300),
    agent: { pid: 1, start: "1" },
    child: null,
  },
};

/** Facts of which only what a state rests on is there. */
function factsOf(files: Record<string, object>): ShardFacts {
  const of = (kind: string) => (files[kind] ? { kind: "value", value: files[kind] } : { kind: "none" });
  return {
    done: of("done"),
    fail: of("fail"),
    progress: of("progress"),
    attempt: of("attempt"),
  } as ShardFacts;
}

test.each<[string, Record<string, object>, string]>([
  ["nothing", {}, "waiting"],
  ["a .done, whatever else there is", { done, fail, attempt }, "done"],
  ["a .done of other content", { done: { ...done, sha256: "b".repeat(64) } }, "waiting"],
  ["a final .fail", { fail, attempt }, "failed"],
  ["a .fail before its digest was known", { fail: { ...fail, sha256: null } }, "failed"],
  ["a .fail that another attempt follows", { fail: { ...fail, final: false }, attempt }, "retrying"],
  ["a .fail of other content", { fail: { ...fail, sha256: "b".repeat(64) } }, "waiting"],
  ["an attempt that wrote 5 s ago", { attempt, progress }, "running"],
  ["an attempt that has just started", { attempt: { ...attempt, started_at: secondsAgo(1) } }, "running"],
  [
    "an attempt that wrote a minute ago",
    { attempt, progress: { ...progress, updated_at: secondsAgo(60) } },
    "stale",
  ],
  [
    "an attempt of a clock that is ahead",
    { attempt, progress: { ...progress, updated_at: secondsAgo(-90) } },
    "running",
  ],
  ["an attempt whose times are no times", { attempt: { ...attempt, started_at: "?" } }, "stale"],
  ["an attempt that was stopped", { attempt: { ...attempt, outcome: "stopped" }, progress }, "stopped"],
])("a shard with %s", (_, files, state) => {
  expect(shardStateOf(factsOf(files), entry, now)).toBe(state as never);
});

/** A run of these shards: their state files, by kind; a text is written as it is. */
function runOf(dir: string, shards: readonly Record<string, object | string>[]): string {
  const run = join(dir, "run");
  mkdirSync(join(run, "shards"), { recursive: true });
  mkdirSync(join(run, "state"));
  const write = (name: string, content: object | string) =>
    writeFileSync(join(run, name), typeof content === "string" ? content : JSON.stringify(content));
  write("manifest.jsonl", "");
  write("manifest.untransferable.jsonl", `${JSON.stringify({ key: "x", size: 9, reason: "r" })}\n`);
  write("shards/shards.meta.json", {
    ...{
      schema: "xfer.shards.v1",
      input: "manifest.jsonl",
      outdir: "shards",
      strategy: "bytes",
      created_at: "",
    },
    ...{ num_shards: shards.length, num_records: 10 * shards.length, bytes_total: 1_000 * shards.length },
    shards: shards.map(() => entry),
  });
  write("config.resolved.json", {
    ...{ schema: "xfer.runconfig.v1", xfer_version: "1", created_at: "", run_id: 'r"1', source_root: "a:b" },
    ...{
      dest_root: "c:d",
      num_shards: shards.length,
      runtime: "host",
      rclone_image: null,
      rclone_config: null,
    },
    ...{ rclone_conf_in_container: "", rclone_flags: [], pyxis_extra: [], cpus_per_task: 1, max_attempts: 1 },
    ...{ array_concurrency: 1, job_name: "x", stop_lead_seconds: 1 },
  });
  shards.forEach((files, shard) => {
    for (const [kind, content] of Object.entries(files)) write(`state/shard_${shard}.${kind}`, content);
  });
  return run;
}

/** The values of metrics by name and own labels. */
function valuesOf(families: readonly MetricFamily[]): Record<string, number> {
  const all = families.flatMap(({ name, samples }) =>
    samples.map(({ labels, value }) => [[name, ...Object.values(labels ?? {})].join(" "), value] as const),
  );
  return Object.fromEntries(all);
}

test("a run of shards in all states adds up", async () => {
  using dir = temporaryDirectory();
  const run = runOf(dir.path, [
    { done, attempt: { ...attempt, outcome: "done" }, progress },
    { fail, attempt: { ...attempt, outcome: "failed" }, progress },
    { attempt, progress },
    { attempt, progress: { ...progress, updated_at: secondsAgo(90), bytes_per_second: 99 } },
    { attempt: "{", fail: "", progress: "[1" },
    {},
  ]);
  const facts = await new RunReader(run).read();
  const { families, labels } = new RunMetrics().of(facts, now);
  const values = valuesOf(families);
  expect(labels).toEqual({ run_id: 'r"1' });
  expect(values).toMatchObject({
    ...{ xfer_listed_objects: 61, xfer_listed_bytes: 6_009 },
    ...{ xfer_copied_objects_total: 8 + 3 + 3 + 3, xfer_copied_bytes_total: 800 + 900 },
    ...{ xfer_unchanged_objects_total: 2 + 3, xfer_unchanged_bytes_total: 200 + 300 },
    ...{ "xfer_failed_objects auth": 1, "xfer_failed_objects missing": 1, "xfer_failed_objects network": 4 },
    ...{ "xfer_failed_objects throttled": 0, xfer_failed_bytes: 600 },
    ...{ xfer_unfinished_objects: 6 + 6 + 20, xfer_unfinished_bytes: 600 + 600 + 2_000 },
    ...{ xfer_untransferable_objects: 1, xfer_untransferable_bytes: 9 },
    // What a lost agent wrote last is no rate of now.
    ...{ xfer_in_flight_bytes: 100, xfer_rate_bytes_per_second: 11, xfer_throttling_ratio: 0.25 },
    xfer_remaining_seconds: (6_000 - 1_700 - 500 - 100) / 11,
    ...{ "xfer_shards done": 1, "xfer_shards failed": 1, "xfer_shards running": 1, "xfer_shards stale": 1 },
    ...{ "xfer_shards waiting": 2, "xfer_shards stopped": 0, "xfer_shards retrying": 0 },
    ...{ xfer_heartbeat_age_seconds: 90, xfer_last_update_timestamp_seconds: now / 1000 - 5 },
    ...{ xfer_unreadable_state_files: 3, xfer_attempts_total: 12, xfer_throttled_requests_total: 28 },
    ...{
      "xfer_stopped_attempts_total walltime": 4,
      "xfer_stopped_attempts_total lost": 4,
      xfer_errors_total: 12,
    },
  });
  // Every listed object is in exactly one of these.
  const sum = (prefix: string) =>
    Object.entries(values).reduce((total, [name, value]) => total + (name.startsWith(prefix) ? value : 0), 0);
  const parts = [
    "copied_objects",
    "unchanged_objects",
    "failed_objects",
    "unfinished_objects",
    "untransferable_objects",
  ];
  expect(parts.reduce((total, part) => total + sum(`xfer_${part}`), 0)).toBe(61);
  expect(expositionText(families, labels)).toContain('xfer_shards{run_id="r\\"1",state="running"} 1\n');
});

test("where nothing runs, ages and times are not known; where all is done, nothing is left", async () => {
  using dir = temporaryDirectory();
  const begun = valuesOf(
    new RunMetrics().of(await new RunReader(runOf(dir.path, [{}])).read(), now).families,
  );
  expect(begun).toMatchObject({
    ...{ xfer_remaining_seconds: Number.NaN, xfer_heartbeat_age_seconds: Number.NaN },
    ...{ xfer_last_update_timestamp_seconds: Number.NaN, xfer_rate_bytes_per_second: 0 },
  });
  using other = temporaryDirectory();
  const ended = valuesOf(
    new RunMetrics().of(await new RunReader(runOf(other.path, [{ done }])).read(), now).families,
  );
  expect(ended).toMatchObject({ xfer_remaining_seconds: 0, "xfer_shards done": 1 });
});

test("a reader that looks again sees what is new, and counters do not fall", async () => {
  using dir = temporaryDirectory();
  const run = runOf(dir.path, [{ attempt, progress }, {}]);
  const [reader, metrics] = [new RunReader(run), new RunMetrics()];
  const look = async () => valuesOf(metrics.of(await reader.read(), now).families);
  const write = (kind: string, content: object | string) =>
    writeFileSync(
      join(run, `state/shard_0.${kind}`),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  expect(await look()).toMatchObject({ xfer_copied_objects_total: 3, xfer_errors_total: 3 });
  // A heartbeat that is torn for a moment is told as it was.
  write("progress", "{");
  write("attempt", "");
  expect(await look()).toMatchObject({ xfer_copied_objects_total: 3, xfer_in_flight_bytes: 50 });
  write("attempt", attempt);
  write("progress", { ...progress, attempt: 2, objects_done: 6, errors: 1 });
  expect(await look()).toMatchObject({ xfer_copied_objects_total: 5, xfer_errors_total: 4 });
  write("done", done);
  expect(await look()).toMatchObject({
    xfer_copied_objects_total: 8,
    "xfer_shards done": 1,
    xfer_in_flight_bytes: 0,
  });
  // Cut anew: the .done is of other content.
  const meta = join(run, "shards/shards.meta.json");
  const other = { ...entry, sha256: "b".repeat(64) };
  writeFileSync(
    meta,
    JSON.stringify({
      ...JSON.parse(await Bun.file(meta).text()),
      shards: [other, other],
      created_at: "later",
    }),
  );
  expect(await look()).toMatchObject({ xfer_unfinished_objects: 20, "xfer_shards done": 0 });
  // And a .done that was taken away.
  cpSync(join(run, "state/shard_0.progress"), join(run, "state/shard_1.progress"));
  rmSync(join(run, "state"), { recursive: true });
  expect(await look()).toMatchObject({ xfer_unfinished_objects: 20, xfer_unreadable_state_files: 0 });
});
