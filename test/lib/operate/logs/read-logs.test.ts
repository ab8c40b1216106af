import { afterAll, beforeAll, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findLine, plainPart } from "../../../../lib/operate/logs/find-lines.ts";
import { firstTimeIn, LogCursor } from "../../../../lib/operate/logs/log-cursor.ts";
import { logFileOf } from "../../../../lib/operate/logs/log-files.ts";
import { readLogs } from "../../../../lib/operate/logs/read-logs.ts";
import { isRunOver } from "../../../../lib/operate/logs/run-over.ts";
import type { ShardFacts } from "../../../../lib/operate/shard-standing.ts";
import { temporaryDirectory } from "../../../stage/harness.ts";

const scene = temporaryDirectory("xfer-logs ");
const logs = join(scene.path, "logs");
const never = new AbortController().signal;
beforeAll(() => mkdirSync(logs));
afterAll(() => scene[Symbol.dispose]());

/** A line of rclone's, so many milliseconds after the start. */
const line = (ms: number, msg: string, more: object = {}) =>
  `${JSON.stringify({ level: "info", msg, time: new Date(Date.UTC(2026, 0, 1) + ms).toISOString(), ...more })}\n`;

async function read(filter: object = {}): Promise<string[]> {
  const wanted = { shard: undefined, attempt: undefined, errorsOnly: false, ...filter };
  const found: string[] = [];
  for await (const batch of readLogs({ runDir: scene.path, filter: wanted, follows: false, stop: never })) {
    found.push(...batch.map(({ message }) => message));
  }
  return found;
}

test("files are merged by time; each keeps its own order, and a line without a time goes with the one before it", async () => {
  writeFileSync(
    join(logs, "shard_0_attempt_1.log"),
    [line(10, "0a"), line(30, "0b"), "no JSON\n", line(25, "0c"), line(90, "0d")].join(""),
  );
  writeFileSync(join(logs, "shard_1_attempt_1.log"), line(20, "1a") + line(30, "1b") + line(31, "1c"));
  writeFileSync(join(logs, "shard_1_attempt_2.log"), `${line(80, "1d")}{"level":"error","msg":"to`);
  writeFileSync(join(logs, "shard_2_attempt_1.log"), "");
  writeFileSync(join(logs, "agent_0.out"), "2026-01-01T00:00:00.005Z shard 0: begins\n\n");
  writeFileSync(join(logs, "foreign.log"), line(1, "foreign"));
  expect(await read()).toEqual([
    ...[
      "shard 0: begins",
      "0a",
      "1a",
      "0b",
      "no JSON",
      "0c",
      "1b",
      "1c",
      "1d",
      '{"level":"error","msg":"to',
      "0d",
    ],
  ]);
  expect(await read({ shard: 1 })).toEqual(["1a", "1b", "1c", "1d", '{"level":"error","msg":"to']);
  expect(await read({ attempt: 1 })).toEqual(["0a", "1a", "0b", "no JSON", "0c", "1b", "1c", "0d"]);
  const missing = await read({ errorsOnly: true });
  expect(missing).toEqual([]);
});

test("a hundred files of random times come out in order, none of their lines missing", async () => {
  const dir = temporaryDirectory("xfer-logs ");
  using _ = dir;
  mkdirSync(join(dir.path, "logs"));
  let seed = 7;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  const written: string[] = [];
  for (let shard = 0; shard < 100; shard++) {
    let at = Math.floor(random() * 10_000);
    let text = "";
    for (let i = 0; i < 40; i++) {
      text += line(at, `${at} ${shard}-${i}`);
      written.push(`${at} ${shard}-${i}`);
      at += Math.floor(random() * 500);
    }
    writeFileSync(join(dir.path, "logs", `shard_${shard}_attempt_1.log`), text);
  }
  const got: string[] = [];
  const filter = { shard: undefined, attempt: undefined, errorsOnly: false };
  for await (const batch of readLogs({ runDir: dir.path, filter, follows: false, stop: never })) {
    got.push(...batch.map(({ message }) => message));
  }
  const times = got.map((words) => Number.parseInt(words, 10));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect([...got].sort()).toEqual(written.sort());
});

test("a file that grows is read on; a line longer than a chunk is whole, and one of more than 1 MiB is cut", () => {
  const name = "shard_9_attempt_1.log";
  const path = join(scene.path, name);
  const file = logFileOf(name);
  if (!file) throw new Error("no log");
  writeFileSync(path, line(1, "first") + line(2, "x".repeat(300)).slice(0, 100));
  const cursor = new LogCursor(scene.path, file, 64);
  const next = (takesTorn = false) => {
    const entry = cursor.next(() => true, takesTorn);
    return typeof entry === "object" ? entry.message : entry;
  };
  expect([next(), next(), next()]).toEqual(["first", undefined, undefined]);
  appendFileSync(path, line(2, "x".repeat(300)).slice(100));
  expect([next(), next()]).toEqual(["x".repeat(300), undefined]);
  appendFileSync(path, `${"y".repeat(3 * 1024 * 1024)}\n${line(3, "after")}torn`);
  expect(next()).toBe("y".repeat(1024 * 1024));
  expect([next(), next(), next(true), next(true)]).toEqual(["after", undefined, "torn", undefined]);
});

test.each<[string, number]>([
  ['{"level":"info","msg":"x","time":"2026-01-01T00:00:01.5+00:00"}', Date.UTC(2026, 0, 1, 0, 0, 1, 500)],
  ["srun: hello\n2026-01-01T00:00:01.500Z shard 1: x", Date.UTC(2026, 0, 1, 0, 0, 1, 500)],
  ["nothing", 0],
  ["", 0],
])("the first time in %p", (text, ms) => {
  expect(firstTimeIn(text)).toBe(ms);
});

const shard = (more: Partial<ShardFacts>): ShardFacts => ({
  ...{ isDone: false, isBusy: false, fail: undefined, classes: new Set(), wasStarted: true },
  ...more,
});

test.each<[string, Partial<ShardFacts>, boolean, number, boolean]>([
  ["is done", { isDone: true }, true, 0, true],
  ["has failed for good", { fail: { attempt: 1, isFinal: true } }, true, 0, true],
  [
    "has failed for good, and is in the queue again",
    { fail: { attempt: 1, isFinal: true }, isBusy: true },
    true,
    0,
    false,
  ],
  ["has failed and is tried again", { fail: { attempt: 1, isFinal: false } }, false, 44_999, false],
  ["is lost", {}, false, 44_999, false],
  ["is lost, for long", {}, false, 45_000, true],
  ["waits for its turn", { wasStarted: false }, true, 90_000, false],
])("whether a run is over whose last shard %s", (_, last, isAtWork, quietForMs, over) => {
  expect(isRunOver({ shards: [shard({ isDone: true }), shard(last)], isAtWork, quietForMs })).toBe(over);
});

test.each<[string, string]>([
  ["set/run-1/object.dat", "object.dat"],
  ["日本/é", ""],
  ['a"b\\c', "a"],
  ["a\nlonger part", "longer part"],
])("the part of %p that every writer leaves as it is", (key, part) => {
  expect(plainPart(key)).toBe(part);
});

test("a record is found by its key, however its writer has escaped it", async () => {
  const keys = ["a/b", "b", "é/日本", "new\nline", 'quo"te', "a/b/c", "😀"];
  const ascii = (key: string) =>
    JSON.stringify({ path: key, source: `src:${key}` }).replace(
      /[^\x20-\x7e]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  for (const write of [(key: string) => JSON.stringify({ path: key, source: `src:${key}` }), ascii]) {
    const path = join(scene.path, "records.jsonl");
    writeFileSync(path, `torn {\n${keys.map((key) => `${write(key)}\n`).join("")}`);
    for (const [i, key] of keys.entries()) {
      expect(await findLine(path, "path", key, never), key).toMatchObject({
        number: i + 2,
        value: { path: key },
      });
    }
    expect(await findLine(path, "path", "src:b", never)).toBeUndefined();
  }
  expect(await findLine(join(scene.path, "none"), "path", "a", never)).toBeUndefined();
});

test("a record far inside a large file has its number", async () => {
  const path = join(scene.path, "many.jsonl");
  const lines = Array.from({ length: 60_000 }, (_, i) => `{"path":"set/object-${i}"}\n`);
  writeFileSync(path, lines.join(""));
  for (const i of [0, 1, 29_999, 59_999]) {
    expect(await findLine(path, "path", `set/object-${i}`, never)).toMatchObject({ number: i + 1 });
  }
});
