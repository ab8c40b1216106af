import { describe, expect, test } from "bun:test";
import { classesIn, pickShards, type ShardFacts, standingOf } from "../../../lib/operate/shard-standing.ts";
import type { FailureClass } from "../../../lib/rclone/failure-class.ts";
import type { FailState } from "../../../lib/run/state/fail.ts";

const unstarted: ShardFacts = {
  isDone: false,
  isBusy: false,
  fail: undefined,
  classes: new Set(),
  wasStarted: false,
};
const done: ShardFacts = { ...unstarted, isDone: true };
const lost: ShardFacts = { ...unstarted, wasStarted: true };
const failed = (...classes: FailureClass[]): ShardFacts => ({
  ...lost,
  fail: { attempt: 1, isFinal: true },
  classes: new Set(classes),
});
/** One whose .fail was set aside by a retry that was stopped. */
const lostSince = (...classes: FailureClass[]): ShardFacts => ({ ...lost, classes: new Set(classes) });
const busy = (facts: ShardFacts): ShardFacts => ({ ...facts, isBusy: true });

test.each([
  ["done", done, "done"],
  ["done, in the task of others", busy(done), "done"],
  ["in the queue", busy(unstarted), "busy"],
  ["failed, waiting for its requeue", busy(failed("network")), "busy"],
  ["failed", failed("auth"), "failed"],
  ["stopped, cancelled or killed", lost, "lost"],
  ["never started", unstarted, "unstarted"],
] as const)("a shard that is %s", (_, facts, standing) => {
  expect(standingOf(facts)).toBe(standing);
});

describe("which shards are tried again", () => {
  const run = [
    done,
    failed("auth"),
    failed("network", "missing"),
    lost,
    unstarted,
    busy(unstarted),
    busy(failed("throttled")),
    lostSince("auth"),
  ];
  const rows: [string, number[] | undefined, FailureClass[] | undefined, number[], number[]][] = [
    ["all that can be", undefined, undefined, [1, 2, 3, 4, 7], [6]],
    ["some", [0, 2, 4], undefined, [2, 4], []],
    ["one in the queue, by its number", [1, 5], undefined, [1], [5]],
    ["a class, of one that was set aside too", undefined, ["auth"], [1, 7], []],
    ["the class of some of its objects", undefined, ["missing"], [2], []],
    ["several classes", undefined, ["auth", "network", "throttled"], [1, 2, 7], [6]],
    ["a class that none has", undefined, ["config"], [], []],
    ["some of a class", [2, 3, 7], ["auth", "missing"], [2, 7], []],
  ];
  test.each(rows)("%s", (_, shards, classes, picked, left) => {
    const filter = { shards: shards && new Set(shards), classes: classes && new Set(classes) };
    expect(pickShards(run, filter)).toEqual({ picked, busy: left });
  });
});

test("a .fail has its own class and those of its objects", () => {
  const errors = [{ path: "a", size: 1, class: "missing", message: "" }];
  expect([...classesIn({ class: "auth", errors } as FailState)]).toEqual(["auth", "missing"]);
});
