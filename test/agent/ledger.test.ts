import { expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AttemptResult } from "../../agent/attempt-result.ts";
import { ShardLedger } from "../../agent/ledger.ts";
import { ShardLog } from "../../agent/shard-log.ts";
import { Journal } from "../../lib/run/journal.ts";
import { runLayout, shardLayout } from "../../lib/run/layout.ts";
import { readAttempt } from "../../lib/run/state/attempt.ts";
import { readDone } from "../../lib/run/state/done.ts";
import { readFail } from "../../lib/run/state/fail.ts";
import { ShardRecords } from "../../lib/shard/records.ts";
import { temporaryDirectory } from "../stage/harness.ts";

const sizes = [10, 200, 3000];
const sha256 = "a".repeat(64);
const counters = {
  spent: 1,
  walltime_stops: 0,
  preemptions: 0,
  lost_starts: 0,
  other_stops: 0,
  early_stops: 0,
  bad_nodes: [],
  transfers: null,
};

/** A ledger of a shard of three records, with the files that it writes about. */
async function open(dir: string, stop = new AbortController()) {
  const layout = shardLayout(runLayout(dir), 0);
  for (const sub of ["state", "shards", "logs"]) mkdirSync(join(dir, sub), { recursive: true });
  const roots = { source_root: "src:data", dest_root: "dst:copy" };
  const lines = sizes.map((size, i) =>
    JSON.stringify({
      ...{ schema: "xfer.manifest.v1", run_id: "20260101T000000Z_abcdef", ...roots },
      ...{ source: `src:data/k${i}`, dest: `dst:copy/k${i}`, path: `k${i}`, size, mtime: null },
      ...{ hashes: null, etag: null, storage_class: null, meta: null },
    }),
  );
  writeFileSync(layout.records, `${lines.join("\n")}\n`);
  const records = await ShardRecords.read(layout.records, sizes.length);
  const journal = new Journal(layout.journal, { sha256, records: sizes.length, roots });
  const log = new ShardLog(layout.log(2));
  const ledger = new ShardLedger({
    shard: 0,
    submission: "local:x",
    node: "n1",
    maxAttempts: 3,
    avoidableNodes: async () => 0,
    stop: stop.signal,
    layout,
    records,
    journal,
    sha256,
    roots,
  });
  return { layout, journal, log, ledger };
}

const failed = (more: Partial<Extract<AttemptResult, { kind: "failed" }>>): AttemptResult => ({
  kind: "failed",
  class: "network",
  final: false,
  exitCode: 1,
  unproven: [{ index: 2, class: "network", message: "reset" }],
  transfers: null,
  neverStarted: false,
  ...more,
});

test("begin: the attempt runs, and what an earlier one said is gone", async () => {
  using dir = temporaryDirectory();
  const { layout, ledger } = await open(dir.path);
  writeFileSync(layout.fail, "{}");
  writeFileSync(layout.done, "{}");
  ledger.begin({ attempt: 2, counters });
  expect(readAttempt(layout.attempt)).toMatchObject({
    kind: "value",
    value: { attempt: 2, spent: 1, outcome: "running", got_to_copy: false, proven_at_start: 0, child: null },
  });
  expect([existsSync(layout.fail), existsSync(layout.done)]).toEqual([false, false]);
  ledger.noteCopying();
  ledger.noteChild({ pid: 7, start: "9" });
  expect(readAttempt(layout.attempt)).toMatchObject({
    value: { got_to_copy: true, child: { pid: 7, start: "9" }, outcome: "running" },
  });
});

test("done: only when every record is proven; copied and unchanged are told apart", async () => {
  using dir = temporaryDirectory();
  const { layout, journal, log, ledger } = await open(dir.path);
  ledger.begin({ attempt: 2, counters });
  journal.add(0, "copied");
  journal.add(1, "unchanged");
  await expect(ledger.end({ kind: "done" }, log)).rejects.toThrow("not proven");
  expect(existsSync(layout.done)).toBe(false);
  journal.add(2, "copied");
  expect(await ledger.end({ kind: "done" }, log)).toEqual({ kind: "done" });
  expect(readDone(layout.done)).toMatchObject({
    value: { sha256, records: 3, bytes: 3210, copied: 2, copied_bytes: 3010, attempt: 2 },
  });
  expect(readAttempt(layout.attempt)).toMatchObject({ value: { outcome: "done" } });
});

test("failed: what is not proven is counted and named, and the outcome says whether it is tried again", async () => {
  using dir = temporaryDirectory();
  const { layout, journal, log, ledger } = await open(dir.path);
  ledger.begin({ attempt: 2, counters });
  journal.add(0, "copied");
  journal.add(1, "unchanged");
  expect(await ledger.end(failed({ transfers: 2, class: "throttled" }), log)).toEqual({
    kind: "retry",
    badNodes: [],
    throttled: true,
    spent: 2,
  });
  expect(readFail(layout.fail)).toMatchObject({
    value: {
      class: "throttled",
      final: false,
      exit_code: 1,
      records: 3,
      proven: 2,
      proven_bytes: 210,
      failed: 1,
      failed_bytes: 3000,
      message: "1 object not proven: reset",
      errors: [{ path: "k2", size: 3000, class: "network", message: "reset" }],
    },
  });
  expect(readAttempt(layout.attempt)).toMatchObject({ value: { outcome: "failed", spent: 1, transfers: 2 } });
  expect(existsSync(layout.done)).toBe(false);
});

test("failed: the headline is of the class that decides, on one line, wherever its first object stands", async () => {
  using dir = temporaryDirectory();
  const { layout, log, ledger } = await open(dir.path);
  ledger.begin({ attempt: 2, counters });
  const unproven = [
    { index: 0, class: "missing", message: "gone" },
    { index: 2, class: "auth", message: `denied\n\tby ${"x".repeat(600)}`, final: true },
  ] as const;
  await ledger.end(failed({ class: "auth", final: true, unproven: [...unproven] }), log);
  const fail = readFail(layout.fail);
  if (fail.kind !== "value") throw new Error(fail.kind);
  expect(fail.value.message).toMatch(/^2 objects not proven: denied by x{400,}\.\.\.$/);
  expect(
    [fail.value.message, ...fail.value.errors.map(({ message }) => message)].map(({ length }) => length),
  ).toEqual([500, 4, 500]);
});

test("failed for good: by its class at once, by the attempts when they are spent", async () => {
  using dir = temporaryDirectory();
  const { layout, log, ledger } = await open(dir.path);
  ledger.begin({ attempt: 1, counters: { ...counters, spent: 0 } });
  expect(await ledger.end(failed({ class: "auth", final: true }), log)).toEqual({ kind: "failed" });
  expect(readFail(layout.fail)).toMatchObject({ value: { class: "auth", final: true, attempt: 1 } });
  ledger.begin({ attempt: 3, counters: { ...counters, spent: 2 } });
  expect(await ledger.end(failed({}), log)).toEqual({ kind: "failed" });
  expect(readFail(layout.fail)).toMatchObject({ value: { class: "network", final: true, attempt: 3 } });
});

test("stopped: no .fail and no .done, and the time limit is told from other stops", async () => {
  for (const [reason, cause] of [
    ["SIGUSR1", "walltime"],
    ["SIGTERM", "other"],
  ]) {
    using dir = temporaryDirectory();
    const stop = new AbortController();
    const { layout, log, ledger } = await open(dir.path, stop);
    ledger.begin({ attempt: 2, counters });
    stop.abort(reason);
    expect(await ledger.end({ kind: "stopped" }, log)).toEqual({ kind: "stopped" });
    expect(readAttempt(layout.attempt)).toMatchObject({ value: { outcome: "stopped", stopped_by: cause } });
    expect([existsSync(layout.fail), existsSync(layout.done)]).toEqual([false, false]);
    ledger.noteStop("preemption");
    expect(readAttempt(layout.attempt)).toMatchObject({ value: { stopped_by: "preemption" } });
  }
});

test("refused: a .fail that says more is kept, and one is written where there is none", async () => {
  using dir = temporaryDirectory();
  const { layout, log, ledger } = await open(dir.path);
  expect(ledger.refuse({ attempt: 4, spent: 3 })).toEqual({ kind: "failed" });
  expect(readFail(layout.fail)).toMatchObject({
    value: { final: true, class: "unknown", failed: 3, attempt: 4 },
  });
  ledger.begin({ attempt: 5, counters: { ...counters, spent: 2 } });
  await ledger.end(failed({}), log);
  ledger.refuse({ attempt: 6, spent: 3 });
  expect(readFail(layout.fail)).toMatchObject({ value: { class: "network", attempt: 5 } });
});
