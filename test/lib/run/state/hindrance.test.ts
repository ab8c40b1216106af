import { expect, test } from "bun:test";
import type { ShardFiles } from "../../../../lib/run/account.ts";
import { runHindrance } from "../../../../lib/run/state/hindrance.ts";

const none = { kind: "none" } as const;
const there = { kind: "value", value: {} };

/** What is read of a shard whose .progress has this hindrance. */
function shard(
  hindrance: { message: string; since: string; next_pass_at: string | null } | null,
  ended: { done?: unknown; fail?: unknown } = {},
) {
  return {
    done: none,
    fail: none,
    ...ended,
    progress: { kind: "value", value: { hindrance } },
  } as unknown as ShardFiles;
}

const at = (second: number) => new Date(second * 1_000).toISOString();
const says = (message: string, since: number, next: number | null = null) => ({
  message,
  since: at(since),
  next_pass_at: next === null ? null : at(next),
});

test("no shard is hindered", () => {
  const waiting = { done: none, fail: none, progress: none } as unknown as ShardFiles;
  expect(runHindrance([])).toBeUndefined();
  expect(runHindrance([shard(null), waiting])).toBeUndefined();
  expect(
    runHindrance([shard(says("down", 1), { done: there }), shard(says("down", 1), { fail: there })]),
  ).toBeUndefined();
});

test("what most shards say counts, since the first of them and until the first tries again", () => {
  const files = [
    shard(says("odd", 1)),
    shard(says("down", 7)),
    shard(says("down", 5, 90)),
    shard(says("down", 6, 80)),
  ];
  expect(runHindrance(files)).toEqual({ message: "down", shards: 3, sinceMs: 5_000, nextPassMs: 80_000 });
});

test("of equally many, what is said for longer", () => {
  expect(runHindrance([shard(says("late", 9)), shard(says("early", 3))])?.message).toBe("early");
});
