import { expect, test } from "bun:test";
import {
  countWhere,
  EarlierStarts,
  lastOfFirst,
  wasCutOff,
  wentThrough,
} from "../../agent/bounded-starts.ts";
import { lostStep } from "../../agent/pass-part.ts";
import { causeOf } from "../../lib/rclone/telling.ts";
import { operationFailed } from "../../lib/system/errors.ts";
import { temporaryDirectory } from "../stage/harness.ts";
import { ended } from "./ended.ts";
import { worklistOf } from "./worklist-of.ts";

const one = new Map([["a", "reset"]]);
const timeIsUp = causeOf("max transfer duration reached as set by --max-duration");

test.each([
  { what: "all copied", result: ended(0), cutOff: false, through: true, lost: false },
  { what: "one failed", result: ended(1, { objectErrors: one }), cutOff: false, through: true, lost: false },
  { what: "none named", result: ended(1), cutOff: false, through: false, lost: false },
  { what: "killed", result: ended(137, { objectErrors: one }), cutOff: false, through: false, lost: false },
  { what: "time up, 1.60", result: ended(1, { error: timeIsUp }), cutOff: true, through: false, lost: false },
  { what: "time up, newer", result: ended(10), cutOff: true, through: false, lost: false },
  { what: "silent", result: ended(0, { hang: "silent" }), cutOff: false, through: false, lost: true },
  { what: "idle", result: ended(0, { hang: "idle" }), cutOff: false, through: false, lost: false },
  { what: "not started", result: operationFailed("x"), cutOff: false, through: false, lost: false },
])("how rclone ended: $what", ({ result, cutOff, through, lost }) => {
  expect(wasCutOff(result)).toBe(cutOff);
  expect(wentThrough(result)).toBe(through);
  expect(lostStep({ result })).toBe(lost);
});

const odd = (index: number) => index % 2 === 1;

test.each<[max: number | undefined, last: number, isCut: boolean]>([
  [undefined, 8, false],
  [1, 1, true],
  [3, 5, true],
  [4, 8, false],
  [9, 8, false],
])("of the records 1, 3, 5, 7 the first %s end at %d", (max, index, isCut) => {
  expect(lastOfFirst(8, odd, max)).toEqual({ index, isCut });
});

test("counts the indices that are included", () => {
  expect([countWhere(8, odd), countWhere(0, odd)]).toEqual([4, 0]);
});

test("failures of earlier rclones are kept for the result of the last", async () => {
  using dir = temporaryDirectory();
  const { records } = await worklistOf(dir.path, ["a", "b", "c"]);
  const earlier = new EarlierStarts(records, causeOf);
  const objectErrors = new Map([
    ["a", "connection reset"],
    ["b.0123abcd.partial", "AccessDenied"],
    ["not of the shard", "AccessDenied"],
  ]);
  // A stop makes transfers fail: only the failure that no other start can mend counts.
  expect(earlier.add(ended(143, { objectErrors }), "stopped")).toBe(true);
  expect([0, 1, 2].filter((index) => earlier.hasFailed(index))).toEqual([1]);
  expect(earlier.add(ended(143, { objectErrors: one }), "stopped")).toBe(false);
  expect(earlier.add(ended(1, { objectErrors: one }), "bounded")).toBe(true);
  const last = ended(0, { spoke: false, objectErrors: new Map([["c", "gone"]]) });
  expect(earlier.mergeInto(last)).toEqual({
    ...last,
    spoke: true,
    objectErrors: new Map([
      ["b.0123abcd.partial", "AccessDenied"],
      ["a", "reset"],
      ["c", "gone"],
    ]),
  });
  const notStarted = operationFailed("rclone was not found");
  expect(earlier.mergeInto(notStarted)).toBe(notStarted);
});
