import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readAttempt } from "../../../../lib/run/state/attempt.ts";
import { type DoneState, isValidDone, readDone } from "../../../../lib/run/state/done.ts";
import { readFail } from "../../../../lib/run/state/fail.ts";
import { temporaryDirectory } from "../../../stage/harness.ts";

const sha256 = "a".repeat(64);
const done: DoneState = {
  schema: "xfer.done.v1",
  shard: 3,
  sha256,
  records: 10,
  bytes: 100,
  copied: 9,
  copied_bytes: 90,
  attempt: 1,
  node: "n1",
  finished_at: "2026-01-01T00:00:00.000Z",
};

test("a .done is valid only for the very content and number of records", () => {
  const shard = { sha256, records: 10 };
  const valid = (more: Partial<DoneState>) =>
    isValidDone({ kind: "value", value: { ...done, ...more } }, shard);
  expect(valid({})).toBe(true);
  expect(valid({ sha256: "b".repeat(64) })).toBe(false);
  expect(valid({ records: 9 })).toBe(false);
  expect(valid({ records: 11 })).toBe(false);
  expect(isValidDone({ kind: "none" }, shard)).toBe(false);
  expect(isValidDone({ kind: "unreadable", reason: "torn" }, shard)).toBe(false);
});

describe("what a reader finds in a .done", () => {
  const text = JSON.stringify(done);
  const without = (field: keyof DoneState) => JSON.stringify({ ...done, [field]: undefined });
  const rows: [string, string, string][] = [
    ["whole", `${text}\n`, "value"],
    ["without its newline", text, "value"],
    ["with fields of a later build", JSON.stringify({ ...done, later: [1] }), "value"],
    ["empty", "", "is empty"],
    ["of white space", " \n", "is empty"],
    ["torn", text.slice(0, -1), "is torn or is not JSON"],
    ["of another schema", JSON.stringify({ ...done, schema: "xfer.done.v2" }), "schema"],
    ["of a file of another kind", JSON.stringify({ ...done, schema: "xfer.fail.v1" }), "schema"],
    ["without a digest", without("sha256"), "sha256"],
    ["with half a digest", JSON.stringify({ ...done, sha256: "abc" }), "sha256"],
    ["without a number of records", without("records"), "records"],
    ["with a negative number", JSON.stringify({ ...done, records: -1 }), "records"],
    ["with a number that is no whole one", JSON.stringify({ ...done, bytes: 1.5 }), "bytes"],
    ["null", "null", ""],
  ];
  for (const [what, content, found] of rows) {
    test(what, () => {
      using dir = temporaryDirectory();
      const path = join(dir.path, "shard_3.done");
      writeFileSync(path, content);
      const state = readDone(path);
      if (found === "value") expect(state).toEqual({ kind: "value", value: done });
      else {
        expect(state.kind).toBe("unreadable");
        if (state.kind !== "unreadable") return;
        expect(state.reason).toStartWith(`${path}: `);
        expect(state.reason).toContain(found);
      }
    });
  }
});

test("no file is none, which is no error", () => {
  using dir = temporaryDirectory();
  for (const read of [readDone, readAttempt, readFail]) {
    expect(read(join(dir.path, "none"))).toEqual({ kind: "none" });
  }
});
