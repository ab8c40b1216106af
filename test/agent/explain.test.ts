import { describe, expect, test } from "bun:test";
import { explainUnproven, type PassRun, unsettledClass } from "../../agent/explain.ts";
import type { PassResult } from "../../agent/pass.ts";
import { classifyMessage, type FailureClass } from "../../lib/rclone/failure-class.ts";
import { operationFailed } from "../../lib/system/errors.ts";

const ended = (code: number, more: Partial<PassResult> = {}): PassResult => ({
  exit: { code, signal: null },
  objectErrors: new Map(),
  spoke: true,
  fellSilent: false,
  error: undefined,
  ...more,
});
const noSuchKey =
  "Failed to copy: failed to open source object: NoSuchKey: The specified key does not exist.";

describe("why a record is not proven", () => {
  const rows: [string, PassRun["result"], boolean, FailureClass, boolean][] = [
    ["no program", operationFailed("rclone was not found on PATH"), false, "config", false],
    ["its own error", ended(1, { objectErrors: new Map([["k", noSuchKey]]) }), true, "missing", false],
    [
      "another's error, exit code 0",
      ended(0, { objectErrors: new Map([["x", noSuchKey]]) }),
      false,
      "missing",
      false,
    ],
    ["no word, nothing proven", ended(0), false, "missing", false],
    ["no word, others proven", ended(0), true, "unknown", true],
    ["silence", ended(137, { fellSilent: true }), true, "container", false],
    ["not reached, for another that is missing", ended(1, { error: noSuchKey }), true, "unknown", false],
    [
      "not reached, for a full disk",
      ended(1, { error: "no space left on device" }),
      true,
      "destination-full",
      false,
    ],
    ["not reached, no reason", ended(9), true, "unknown", false],
  ];
  for (const [what, result, proved, failure, unmentioned] of rows) {
    test(what, () => {
      const record = explainUnproven(7, "k", { mayBeThere: false, proved, result }, classifyMessage);
      expect([record.place, record.class, record.unmentioned ?? false]).toEqual([7, failure, unmentioned]);
    });
  }
});

test("a destination that cannot settle is no missing object", () => {
  expect(unsettledClass("/x: ...: sync: error opening '/x': No such file or directory")).toBe("unknown");
  expect(unsettledClass("/x: ...: sync: error syncing '/x': Input/output error")).toBe("unknown");
  expect(unsettledClass("/x: ...: sync: error syncing '/x': No space left on device")).toBe(
    "destination-full",
  );
});
