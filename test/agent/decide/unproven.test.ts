import { describe, expect, test } from "bun:test";
import { explainUnproven, isSettled, unsettledClass } from "../../../agent/decide/unproven.ts";
import type { PassPart } from "../../../agent/pass-part.ts";
import type { FailureClass } from "../../../lib/rclone/failure-class.ts";
import { causeOf } from "../../../lib/rclone/telling.ts";
import { operationFailed } from "../../../lib/system/errors.ts";
import { ended } from "../ended.ts";

const noSuchKey =
  "Failed to copy: failed to open source object: NoSuchKey: The specified key does not exist.";

const denied = "Forbidden: Forbidden\n\tstatus code: 403";
const errors = (...entries: [string, string][]) => ({ objectErrors: new Map(entries) });

describe("why a record is not proven", () => {
  const whole = { records: 9, isPiece: false, proved: true };
  const nothing = { ...whole, proved: false };
  const piece = { ...nothing, isPiece: true };
  const alone = { ...piece, records: 1 };
  type Row = [string, PassPart["result"], typeof whole, FailureClass, ("own" | "unmentioned")?];
  const rows: Row[] = [
    ["no program", operationFailed("rclone was not found on PATH"), nothing, "config"],
    ["its own error", ended(1, errors(["k", noSuchKey])), whole, "missing", "own"],
    ["an error of its part file", ended(1, errors(["k.0123abcd.partial", denied])), whole, "auth", "own"],
    ["a name over two lines", ended(1, errors(["x\nk.0123abcd.partial", denied])), nothing, "unknown"],
    ["no part file", ended(1, errors(["k.0123abcd.partial2", denied])), nothing, "unknown"],
    [
      "ended by the signal of a shell's own",
      ended(128, { ...errors(["x", denied]), error: causeOf(denied) }),
      nothing,
      "auth",
    ],
    ["another's part file", ended(1, errors(["k2.0123abcd.partial", denied])), nothing, "unknown"],
    ["another's error, exit code 0", ended(0, errors(["x", noSuchKey])), nothing, "missing", "own"],
    ["no word, nothing proven", ended(0), nothing, "missing", "own"],
    ["no word, others proven", ended(0), whole, "unknown", "unmentioned"],
    [
      "no word, others proven and others denied",
      ended(1, errors(["x", denied])),
      whole,
      "unknown",
      "unmentioned",
    ],
    [
      "killed after others were denied",
      ended(137, { ...errors(["x", denied]), error: causeOf(denied) }),
      nothing,
      "auth",
    ],
    [
      "killed after others were denied, and others proven",
      ended(137, { error: causeOf(denied) }),
      whole,
      "unknown",
    ],
    ["another denied without a name, others proven", ended(1, { error: causeOf(denied) }), whole, "unknown"],
    [
      "a store that throttles after others were proven",
      ended(1, { error: causeOf("SlowDown") }),
      whole,
      "throttled",
    ],
    ["silence", ended(137, { hang: "silent" }), whole, "container"],
    ["a hang", ended(143, { hang: "idle" }), nothing, "unknown"],
    ["a hang alone", ended(143, { hang: "idle" }), alone, "unknown", "own"],
    ["not reached, for another that is missing", ended(1, { error: causeOf(noSuchKey) }), whole, "unknown"],
    [
      "not reached, for another's name",
      ended(1, { error: causeOf("x: file name too long") }),
      whole,
      "unknown",
    ],
    ["not reached, for what no single one has", ended(1, { error: causeOf(denied) }), nothing, "auth"],
    ["not reached, for another of its piece", ended(1, { error: causeOf(denied) }), piece, "unknown"],
    ["stopped rclone alone", ended(1, { error: causeOf(denied) }), alone, "auth", "own"],
    [
      "stopped rclone alone, by its name",
      ended(1, { error: causeOf("file name too long") }),
      alone,
      "path",
      "own",
    ],
    [
      "not reached, for a full disk",
      ended(1, { error: causeOf("no space left on device") }),
      whole,
      "destination-full",
    ],
    ["not reached, no reason", ended(9), whole, "unknown"],
  ];
  for (const [what, result, run, failure, mark] of rows) {
    test(what, () => {
      const { includes } = { includes: () => true };
      const record = explainUnproven(7, "k", { ...run, includes, result }, causeOf);
      const { own = false, unmentioned = false } = record;
      expect({ index: record.index, class: record.class, own, unmentioned }).toEqual({
        index: 7,
        class: failure,
        own: mark === "own",
        unmentioned: mark === "unmentioned",
      });
    });
  }
});

test("settled is what is a record's own and no repetition cures", () => {
  const record = (failure: FailureClass, own: boolean) =>
    isSettled({ index: 1, class: failure, message: "", own });
  expect(["missing", "auth", "config", "path"].map((one) => record(one as FailureClass, true))).toEqual(
    Array(4).fill(true),
  );
  expect(["network", "unknown", "throttled"].map((one) => record(one as FailureClass, true))).toEqual(
    Array(3).fill(false),
  );
  expect(record("auth", false)).toBe(false);
});

test("a destination that cannot settle is no missing object", () => {
  expect(unsettledClass("/x: ...: sync: error opening '/x': No such file or directory")).toBe("unknown");
  expect(unsettledClass("/x: ...: sync: error syncing '/x': Input/output error")).toBe("unknown");
  expect(unsettledClass("/x: ...: sync: error syncing '/x': No space left on device")).toBe(
    "destination-full",
  );
});
