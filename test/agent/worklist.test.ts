import { expect, test } from "bun:test";
import type { PassPart } from "../../agent/pass-part.ts";
import type { FailureClass } from "../../lib/rclone/failure-class.ts";
import { operationFailed } from "../../lib/system/errors.ts";
import { temporaryDirectory } from "../stage/harness.ts";
import { ended } from "./ended.ts";
import { worklistOf } from "./worklist-of.ts";

const keys = ["a", "b", "c", "d"];

const failed = (errors: [key: string, message: string][]) => ended(1, { objectErrors: new Map(errors) });

/** A part of a pass over these records, of which rclone proved some. */
const part = (indices: readonly number[], result: PassPart["result"], proved = true): PassPart => ({
  includes: (index) => indices.includes(index),
  records: indices.length,
  isPiece: false,
  proved,
  result,
});

const all = [0, 1, 2, 3];

test("a record is to do until it is proven, left out or settled", async () => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  const toDo = () => all.filter((index) => worklist.isToDo(index));
  expect(toDo()).toEqual(all);
  worklist.prove(0, "copied");
  worklist.leaveOut({ index: 1, class: "network", message: "reset", own: true });
  worklist.leaveOut({ index: 2, class: "auth", message: "denied", own: true });
  worklist.leaveOut({ index: 3, class: "auth", message: "denied, of no single record" });
  expect(toDo()).toEqual([]);
  // Only a failure of the record's own that the user has to cure outlasts the pass.
  worklist.startPass();
  expect(toDo()).toEqual([1, 3]);
  expect(worklist.unproven).toBe(3);
});

test("records that may be at the destination are a group of their own", async () => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  const group = (mayBeThere: boolean) => all.filter(worklist.ofGroup(mayBeThere));
  expect([group(false), group(true)]).toEqual([all, []]);
  worklist.mayBeThere = Uint8Array.of(0, 1, 0, 1);
  worklist.prove(3, "unchanged");
  expect([group(false), group(true)]).toEqual([[0, 2], [1]]);
});

test("a proof counts once, in the journal and for the one who listens", async () => {
  using dir = temporaryDirectory();
  const heard: unknown[] = [];
  const { worklist, journal } = await worklistOf(dir.path, keys, (...proof) => heard.push(proof));
  worklist.prove(1, "copied");
  worklist.prove(1, "unchanged");
  worklist.prove(2, "unchanged");
  expect(heard).toEqual([
    [1, "copied"],
    [1, "unchanged"],
  ]);
  expect([journal.proofs.get(1), journal.proofs.get(2)]).toEqual(["copied", "unchanged"]);
  const counted: unknown[] = [];
  worklist.forEachProven((...proof) => counted.push(proof));
  expect(counted).toEqual(heard);
});

test("keys with a reason are left out, but not those that are proven", async () => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  worklist.prove(0, "copied");
  const reason = { class: "untransferable", message: "has a vowel", own: true } as const;
  const found = await worklist.leaveOutWhere((key) => (/[aeiou]|c/.test(key) ? reason : undefined));
  expect(found).toEqual([{ index: 2, ...reason }]);
  worklist.startPass();
  expect(all.filter((index) => worklist.isToDo(index))).toEqual([1, 3]);
});

test.each<
  [
    what: string,
    parts: PassPart[],
    told: {
      unproven: [index: number, kind: FailureClass][];
      settled: number;
      unmentioned: number;
      failure: FailureClass;
      final: boolean;
    },
  ]
>([
  [
    "rclone names each",
    [
      part(
        [1, 2, 3],
        failed([
          ["b", "connection reset"],
          ["c", "AccessDenied"],
          ["d", "connection reset"],
        ]),
      ),
    ],
    {
      unproven: [
        [2, "auth"],
        [1, "network"],
        [3, "network"],
      ],
      settled: 1,
      unmentioned: 0,
      failure: "network",
      final: false,
    },
  ],
  [
    "only the user can cure all of them",
    [
      part(
        [1, 2, 3],
        failed([
          ["b", "AccessDenied"],
          ["c", "AccessDenied"],
          ["d", "object not found"],
        ]),
      ),
    ],
    {
      unproven: [
        [1, "auth"],
        [2, "auth"],
        [3, "missing"],
      ],
      settled: 3,
      unmentioned: 0,
      failure: "auth",
      final: true,
    },
  ],
  [
    "rclone passes over them in silence",
    [part([1, 2, 3], ended(0))],
    {
      unproven: [
        [1, "unknown"],
        [2, "unknown"],
        [3, "unknown"],
      ],
      settled: 0,
      unmentioned: 3,
      failure: "unknown",
      final: false,
    },
  ],
  [
    "the last part that a record was in decides",
    [
      part(
        [1, 2, 3],
        failed([
          ["b", "connection reset"],
          ["c", "SlowDown"],
          ["d", "connection reset"],
        ]),
      ),
      part([3], failed([["d", "SlowDown"]])),
    ],
    {
      unproven: [
        [1, "network"],
        [2, "throttled"],
        [3, "throttled"],
      ],
      settled: 0,
      unmentioned: 0,
      failure: "throttled",
      final: false,
    },
  ],
  [
    "rclone could not be started",
    [part([1, 2, 3], operationFailed("rclone was not found"), false)],
    {
      unproven: [
        [1, "config"],
        [2, "config"],
        [3, "config"],
      ],
      settled: 0,
      unmentioned: 0,
      failure: "config",
      final: true,
    },
  ],
  ["no part was copied", [], { unproven: [], settled: 0, unmentioned: 0, failure: "unknown", final: false }],
])("why records are not proven: %s", async (_what, parts, told) => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  worklist.prove(0, "copied");
  const { records, ...rest } = await worklist.explain(parts);
  const unproven = records.map(({ index, class: failure }): [number, FailureClass] => [index, failure]);
  expect({ unproven, ...rest }).toEqual(told);
});

test("a record that was left out of the pass is told with its own reason", async () => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  const reason = { index: 1, class: "unknown", message: "EIO", own: true } as const;
  worklist.leaveOut(reason);
  const { records } = await worklist.explain([
    part(
      [0, 2, 3],
      failed([
        ["a", "reset"],
        ["c", "reset"],
        ["d", "reset"],
      ]),
    ),
  ]);
  expect(records.map(({ index, message }) => [index, message])).toEqual([
    [1, "EIO"],
    [0, "reset"],
    [2, "reset"],
    [3, "reset"],
  ]);
});

test("one cause for all that is not proven, settled or not", async () => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  worklist.prove(0, "copied");
  worklist.leaveOut({ index: 2, class: "auth", message: "denied", own: true });
  const cause = { class: "destination-full", message: "no space left on device", final: false } as const;
  expect(worklist.allUnproven(cause)).toEqual([1, 2, 3].map((index) => ({ index, ...cause })));
});

test("only records to do that rclone did not name count as unnamed", async () => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  worklist.prove(0, "copied");
  const errors = new Map([["b", "reset"]]);
  expect(await worklist.countUnnamed(part([0, 1, 2], ended(1)), errors)).toBe(1);
});
