import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AttemptState, readAttempt } from "../../../../lib/run/state/attempt.ts";
import { readDone } from "../../../../lib/run/state/done.ts";
import { type FailState, readFail, writeFail } from "../../../../lib/run/state/fail.ts";
import { type ProgressState, readProgress } from "../../../../lib/run/state/progress.ts";
import { writeState } from "../../../../lib/run/state/state-file.ts";
import { temporaryDirectory } from "../../../stage/harness.ts";

const sha256 = "0123456789abcdef".repeat(4);
const at = "2026-11-25T08:00:00.000Z";

const attempt: AttemptState = {
  schema: "xfer.attempt.v1",
  shard: 3,
  sha256,
  attempt: 7,
  submission: "slurm:4294967294",
  spent: 2,
  walltime_stops: 1,
  preemptions: 2,
  lost_starts: 3,
  other_stops: 4,
  early_stops: 5,
  bad_nodes: ["n1", "n2"],
  transfers: 4,
  outcome: "stopped",
  stopped_by: "preemption",
  proven_at_start: 9,
  got_to_copy: true,
  node: "n3",
  host: "n3.cluster",
  boot: "b",
  pid_namespace: "pid:[4026531836]",
  agent: { pid: 12, start: "345" },
  child: { pid: 13, start: "346" },
  started_at: at,
};

const progress: ProgressState = {
  schema: "xfer.progress.v1",
  shard: 3,
  sha256,
  attempt: 7,
  pass: 2,
  node: "n3",
  records: 10,
  bytes: 2 ** 53 - 1,
  objects_done: 4,
  bytes_done: 40,
  objects_unchanged: 1,
  bytes_unchanged: 10,
  bytes_in_flight: 5,
  bytes_per_second: 1.5,
  eta_seconds: null,
  errors: 0,
  throttled: 6,
  throttling: { refused: 1, requests: 2, transfers: 3, wanted: 4 },
  transfers: 3,
  hindrance: { class: "network", message: 'a "b"\n\u{1f600}', since: at, next_pass_at: null },
  plan: "no traverse",
  updated_at: at,
};

const fail: FailState = {
  schema: "xfer.fail.v1",
  shard: 3,
  sha256: null,
  class: "throttled",
  final: true,
  message: "the store\nsays no",
  exit_code: null,
  records: 10,
  bytes: 100,
  proven: 8,
  proven_bytes: 80,
  unchanged: 5,
  unchanged_bytes: 50,
  failed: 2,
  failed_bytes: 20,
  attempt: 1,
  node: "n",
  failed_at: at,
  errors: [{ path: "a\nb\ud800", size: 0, class: "unknown", message: "" }],
};

const kinds = [
  ["attempt", attempt, readAttempt],
  ["progress", progress, readProgress],
  ["fail", fail, readFail],
] as const;

test.each(kinds)("a .%s is one line of JSON, and is read as it was written", (_, state, read) => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "state");
  writeState(path, state);
  const text = readFileSync(path, "utf8");
  expect(text.indexOf("\n")).toBe(text.length - 1);
  expect(text).toStartWith('{"schema":"xfer.');
  expect(read(path) as unknown).toEqual({ kind: "value", value: state });
  expect(readdirSync(dir.path)).toEqual(["state"]);
});

/** The fields without which an earlier build wrote each file, and what a reader takes for them. */
const later = {
  attempt: {
    walltime_stops: 0,
    preemptions: 0,
    lost_starts: 0,
    other_stops: 0,
    early_stops: 0,
    bad_nodes: [],
    transfers: null,
    stopped_by: null,
    got_to_copy: null,
    boot: null,
    pid_namespace: null,
  },
  progress: {
    objects_unchanged: 0,
    bytes_unchanged: 0,
    throttled: 0,
    throttling: null,
    transfers: null,
    hindrance: null,
  },
  fail: { unchanged: 0, unchanged_bytes: 0 },
};

test.each(kinds)(
  "a .%s of an earlier build is read, with the defaults of what it lacks",
  (kind, state, read) => {
    using dir = temporaryDirectory();
    const path = join(dir.path, "state");
    const lacks = new Set(Object.keys(later[kind]));
    writeFileSync(
      path,
      JSON.stringify(Object.fromEntries(Object.entries(state).filter(([name]) => !lacks.has(name)))),
    );
    expect(read(path) as unknown).toEqual({ kind: "value", value: { ...state, ...later[kind] } });
  },
);

test.each(kinds)(
  "without any other field a .%s is unreadable, and the field is named",
  (kind, state, read) => {
    using dir = temporaryDirectory();
    const path = join(dir.path, "state");
    for (const name of Object.keys(state)) {
      if (name in later[kind]) continue;
      writeFileSync(path, JSON.stringify({ ...state, [name]: undefined }));
      const found = read(path);
      if (found.kind !== "unreadable") throw new Error(`${kind} was read without ${name}`);
      expect(found.reason).toStartWith(`${path}: ${name} `);
    }
  },
);

test.each<[string, object, (path: string) => { kind: string; reason?: string }, string]>([
  ["attempt", { ...attempt, schema: "xfer.attempt.v2" }, readAttempt, "schema "],
  ["attempt", { ...attempt, outcome: "paused" }, readAttempt, "outcome "],
  ["attempt", { ...attempt, transfers: 0 }, readAttempt, "transfers "],
  ["attempt", { ...attempt, agent: { pid: -1, start: "" } }, readAttempt, "agent.pid "],
  ["progress", { ...progress, bytes: 2 ** 53 }, readProgress, "bytes "],
  ["progress", { ...progress, eta_seconds: "soon" }, readProgress, "eta_seconds "],
  ["progress", fail, readProgress, "schema "],
  ["fail", { ...fail, class: "cosmic rays" }, readFail, "class "],
  ["fail", { ...fail, errors: [{ path: "a", size: -1 }] }, readFail, "errors.0.size "],
  ["fail", { ...fail, sha256: sha256.toUpperCase() }, readFail, "sha256 "],
])("a .%s with %j is unreadable", (_, state, read, field) => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "state");
  writeFileSync(path, JSON.stringify(state));
  const found = read(path);
  expect(found.kind).toBe("unreadable");
  expect(found.reason).toStartWith(`${path}: ${field}`);
});

test("a .fail's amounts that follow from others are computed", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "shard_3.fail");
  writeFail(
    path,
    {
      shard: 3,
      sha256,
      records: 10,
      bytes: 1_000,
      node: "n",
      proven: { records: 7, bytes: 600, copied: 4, copiedBytes: 150 },
    },
    { class: "network", final: false, message: "m", attempt: 2, errors: [], exitCode: 5 },
  );
  const found = readFail(path);
  if (found.kind !== "value") throw new Error("not read");
  const { failed_at, ...value } = found.value;
  expect(value).toEqual({
    schema: "xfer.fail.v1",
    shard: 3,
    sha256,
    class: "network",
    final: false,
    message: "m",
    exit_code: 5,
    records: 10,
    bytes: 1_000,
    proven: 7,
    proven_bytes: 600,
    unchanged: 3,
    unchanged_bytes: 450,
    failed: 3,
    failed_bytes: 400,
    attempt: 2,
    node: "n",
    errors: [],
  });
  expect(new Date(failed_at).toISOString()).toBe(failed_at);
});

test("a .done that names its roots keeps them", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "shard_3.done");
  const done = {
    schema: "xfer.done.v1" as const,
    shard: 3,
    sha256,
    records: 0,
    bytes: 0,
    copied: 0,
    copied_bytes: 0,
    source_root: "src:a",
    dest_root: "/b \u{10ffff}",
    attempt: 1,
    node: "n",
    finished_at: at,
  };
  writeState(path, done);
  expect(readDone(path)).toEqual({ kind: "value", value: done });
});
