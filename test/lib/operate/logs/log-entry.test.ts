import { describe, expect, test } from "bun:test";
import { couldBeShown, isShown, type LogEntry, logEntryOf } from "../../../../lib/operate/logs/log-entry.ts";
import { type LogFile, type LogFilter, logFileOf, mayHold } from "../../../../lib/operate/logs/log-files.ts";
import { shardsOfTask } from "../../../../lib/slurm/array-limits.ts";

const fileOf = (name: string): LogFile => {
  const file = logFileOf(name);
  if (!file) throw new Error(`${name} is no log`);
  return file;
};

test.each<[string, object | undefined]>([
  ["shard_12_attempt_3.log", { kind: "shard", shard: 12, attempt: 3 }],
  ["agent_7.out", { kind: "agent", shard: 7 }],
  ["slurm_4711_2.out", { kind: "task", job: "4711", task: 2 }],
  ["shard_12_attempt_3.log.gz", undefined],
  ["slurm_4711.out", undefined],
  ["notes.txt", undefined],
])("the file %s", (name, file) => {
  expect(logFileOf(name) as unknown).toEqual(file && { name, ...file });
});

test.each<[string, Partial<LogFilter>, boolean]>([
  ["shard_12_attempt_3.log", {}, true],
  ["shard_12_attempt_3.log", { shard: 12 }, true],
  ["shard_12_attempt_3.log", { shard: 1 }, false],
  ["shard_12_attempt_3.log", { shard: 12, attempt: 2 }, false],
  ["agent_12.out", { shard: 12, attempt: 2 }, true],
  ["agent_12.out", { shard: 2 }, false],
  ["slurm_9_2.out", { shard: 12, attempt: 2 }, true],
  ["slurm_9_2.out", { shard: 3 }, false],
])("whether %s may hold what %p wants, in a run of ten tasks", (name, filter, holds) => {
  const wanted = { shard: undefined, attempt: undefined, ...filter };
  expect(mayHold(fileOf(name), wanted, (_, task) => shardsOfTask(task, 10, 20))).toBe(holds);
});

const time = "2026-11-25T17:50:12.984181+02:00";
const timeMs = Date.UTC(2026, 10, 25, 15, 50, 12, 984);
const rclone = (level: string, msg: string, more: object = {}) =>
  JSON.stringify({ level, msg, time, ...more });
const inLog = "shard_3_attempt_2.log";

describe("what a line of a log says", () => {
  const rows: [string, string, string, Partial<LogEntry>][] = [
    [
      "an error of an object",
      inLog,
      rclone("error", "Failed to copy: boom", { object: "a/b" }),
      {
        from: "rclone",
        level: "error",
        object: "a/b",
        message: "Failed to copy: boom",
        shard: 3,
        attempt: 2,
        timeMs,
      },
    ],
    ["a notice of rclone 1.60", inLog, rclone("warning", "x"), { level: "warning", isStats: false }],
    ["a notice of a newer one", inLog, rclone("notice", "x"), { level: "warning" }],
    ["a critical error", inLog, rclone("critical", "x"), { level: "error" }],
    ["a level that is not known", inLog, rclone("loud", "x"), { level: "info" }],
    [
      "statistics",
      inLog,
      rclone("warning", "Transferred", { stats: { bytes: 1, errors: 0, speed: 0, transfers: 0 } }),
      { isStats: true },
    ],
    [
      "a request that is made again",
      inLog,
      rclone("debug", "Received error: SlowDown - low level retry 1/20", { object: "a" }),
      { level: "warning", object: "a" },
    ],
    ["what rclone says at DEBUG", inLog, rclone("debug", "md5 = 0 OK"), { level: "debug" }],
    [
      "the agent's own",
      inLog,
      rclone("error", "xfer: not proven: auth: x", { object: "a" }),
      { from: "xfer", message: "not proven: auth: x", level: "error" },
    ],
    [
      "a time that is none",
      inLog,
      JSON.stringify({ level: "info", msg: "x", time: "soon" }),
      { timeMs: null },
    ],
    [
      "a torn line",
      inLog,
      '{"level":"error","msg":"Failed to co',
      { from: "other", level: "info", message: '{"level":"error","msg":"Failed to co', timeMs: null },
    ],
    ["JSON of another kind", inLog, '{"a":1}', { from: "other", message: '{"a":1}' }],
    ["srun's", inLog, "srun: error: node down", { from: "other", level: "error" }],
    [
      "an agent's message",
      "slurm_9_2.out",
      "2026-11-25T15:50:12.984Z error: shard 12: attempt 4: failed (auth): x",
      {
        from: "xfer",
        level: "error",
        shard: 12,
        attempt: 4,
        timeMs,
        message: "shard 12: attempt 4: failed (auth): x",
      },
    ],
    [
      "an agent's message in color",
      "agent_5.out",
      "2026-11-25T15:50:12.984Z \x1b[33mwarning:\x1b[39m look",
      { level: "warning", shard: 5, attempt: null, message: "look" },
    ],
    [
      "what ended an agent",
      "agent_5.out",
      "xfer: no such file",
      { from: "xfer", level: "error", timeMs: null },
    ],
    [
      "Slurm's",
      "slurm_9_2.out",
      "slurmstepd: error: *** JOB 9 ON n1 CANCELLED AT 2026-11-25T15:50:12 DUE TO TIME LIMIT ***",
      { from: "other", level: "error", shard: null, attempt: null },
    ],
  ];
  test.each(rows)("%s", (_, name, line, entry) => {
    expect(logEntryOf(line, fileOf(name))).toMatchObject(entry);
  });
});

describe("which lines are shown", () => {
  const all: LogFilter = { shard: undefined, attempt: undefined, errorsOnly: false };
  const error = rclone("error", "x");
  const rows: [string, string, string, Partial<LogFilter>, boolean][] = [
    ["an error", inLog, error, {}, true],
    ["an error, of errors", inLog, error, { errorsOnly: true }, true],
    ["a copied object", inLog, rclone("info", "Copied (new)"), {}, true],
    ["a copied object, of errors", inLog, rclone("info", "Copied (new)"), { errorsOnly: true }, false],
    ["DEBUG", inLog, rclone("debug", "x"), {}, false],
    ["a request that is made again", inLog, rclone("debug", "low level retry 1/2 (error x)"), {}, true],
    [
      "statistics",
      inLog,
      rclone("warning", "x", { stats: { bytes: 1, errors: 0, speed: 0, transfers: 0 } }),
      {},
      false,
    ],
    ["statistics of no known form", inLog, rclone("warning", "x", { stats: {} }), {}, true],
    ["another attempt", inLog, error, { attempt: 1 }, false],
    ["this attempt", inLog, error, { shard: 3, attempt: 2 }, true],
    [
      "of another shard in the output of a task",
      "slurm_9_2.out",
      "2026-11-25T15:50:12.984Z shard 2: x",
      { shard: 12 },
      false,
    ],
    ["of no shard in the output of a task", "slurm_9_2.out", "slurmstepd: x", { shard: 12 }, true],
    ["of no attempt where one is wanted", "slurm_9_2.out", "slurmstepd: x", { attempt: 1 }, false],
    ["a key like a level", inLog, rclone("error", "x", { object: '"level":"debug"' }), {}, true],
  ];
  test.each(rows)("%s", (_, name, line, filter, shown) => {
    const wanted = { ...all, ...filter };
    expect(isShown(logEntryOf(line, fileOf(name)), wanted)).toBe(shown);
    // What need not be parsed is never shown.
    if (shown) expect(couldBeShown(line, wanted)).toBe(true);
  });
});
