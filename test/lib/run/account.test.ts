import { expect, test } from "bun:test";
import { accountOf, type ShardFiles } from "../../../lib/run/account.ts";

const sha256 = "a".repeat(64);
const entry = (records: number, bytes: number) => ({ records, bytes, sha256 });
const none = { kind: "none" } as const;
const files = (more: Partial<ShardFiles>): ShardFiles => ({
  done: none,
  fail: none,
  progress: none,
  ...more,
});
const value = <T>(content: T) => ({ kind: "value" as const, value: content });

const done = value({
  schema: "xfer.done.v1" as const,
  shard: 0,
  sha256,
  records: 10,
  bytes: 100,
  copied: 7,
  copied_bytes: 70,
  attempt: 1,
  node: "n",
  finished_at: "",
});
const fail = value({
  schema: "xfer.fail.v1" as const,
  shard: 1,
  sha256,
  class: "missing" as const,
  final: true,
  message: "",
  exit_code: 1,
  records: 10,
  bytes: 100,
  proven: 8,
  proven_bytes: 80,
  unchanged: 5,
  unchanged_bytes: 50,
  failed: 2,
  failed_bytes: 20,
  attempt: 1,
  node: "n",
  failed_at: "",
  errors: [
    { path: "gone", size: 10, class: "missing" as const, message: "NoSuchKey" },
    { path: "gone too", size: 10, class: "missing" as const, message: "NoSuchKey" },
  ],
});
const meta = {
  num_shards: 3,
  num_records: 30,
  bytes_total: 300,
  shards: [entry(10, 100), entry(10, 100), entry(10, 100)],
};
const untransferable = { objects: 4, bytes: 40 };

test("every listed object is in exactly one line of the account", () => {
  const states: ShardFiles[][] = [
    [],
    [files({ done }), files({}), files({})],
    [files({ done }), files({ fail }), files({})],
    [files({ done }), files({ fail }), files({ done: value({ ...done.value, sha256: "b".repeat(64) }) })],
    [files({ done: value({ ...done.value, records: 9 }) }), files({ fail }), files({ done })],
  ];
  for (const state of states) {
    const { listed, ...account } = accountOf(meta, state, untransferable);
    for (const amount of ["objects", "bytes"] as const) {
      const { copied, unchanged, failed, unfinished, untransferable: left } = account;
      const sum = [copied, unchanged, failed, unfinished, left].reduce(
        (total, one) => total + one[amount],
        0,
      );
      expect(sum).toBe(listed[amount]);
    }
    expect(listed).toEqual({ objects: 34, bytes: 340 });
    const isFailed = state[1]?.fail === fail;
    expect(account.failed).toEqual(isFailed ? { objects: 2, bytes: 20 } : { objects: 0, bytes: 0 });
    if (isFailed && state[2]?.done.kind !== "value") {
      expect(account).toMatchObject({ copied: { objects: 7 + 3 }, unchanged: { objects: 3 + 5 } });
    }
  }
});

test("what a delta found the same is listed and unchanged, and in no shard", () => {
  const same = { objects: 5, bytes: 50 };
  const account = accountOf(meta, [files({ done }), files({ fail }), files({})], untransferable, same);
  expect(account).toMatchObject({
    listed: { objects: 39, bytes: 390 },
    copied: { objects: 10, bytes: 100 },
    unchanged: { objects: 13, bytes: 130 },
    failed: { objects: 2 },
    unfinished: { objects: 10 },
  });
});

test("a .done of other content or another number of records is none", () => {
  const other = value({ ...done.value, sha256: "b".repeat(64) });
  const short = value({ ...done.value, records: 9 });
  const account = accountOf(meta, [files({ done: other }), files({ done: short }), files({ done })], {
    objects: 0,
    bytes: 0,
  });
  expect(account.shards).toEqual({ total: 3, done: 1, failed: 0, unfinished: 2 });
  expect(account).toMatchObject({
    copied: { objects: 7 },
    unchanged: { objects: 3 },
    unfinished: { objects: 20 },
  });
});

test("what failed is named, and a state file that cannot be relied on is warned of", () => {
  const torn = { kind: "unreadable" as const, reason: "shard_2.done: is torn" };
  const account = accountOf(meta, [files({ done }), files({ fail }), files({ done: torn })], untransferable);
  expect(account.errors.map(({ path, shard }) => [shard, path])).toEqual([
    [1, "gone"],
    [1, "gone too"],
  ]);
  expect(account.warnings).toEqual(["shard_2.done: is torn"]);
});

test("no more than 20 failed objects are named; a shard that names none is named by its own reason", () => {
  const failOf = (errors: number) =>
    value({
      ...fail.value,
      message: "the shard's file is gone",
      errors: Array.from({ length: errors }, (_, i) => ({
        path: `object-${i}`,
        size: 1,
        class: "missing" as const,
        message: "NoSuchKey",
      })),
    });
  const state = (...errors: number[]) => errors.map((count) => files({ fail: failOf(count) }));
  expect(
    accountOf(meta, state(0, 2, 0), untransferable).errors.map(({ shard, path }) => [shard, path]),
  ).toEqual([
    [0, ""],
    [1, "object-0"],
    [1, "object-1"],
    [2, ""],
  ]);
  expect(accountOf(meta, state(0, 0, 0), untransferable).errors[0]).toEqual({
    shard: 0,
    path: "",
    class: "missing",
    message: "the shard's file is gone",
  });
  const many = accountOf(meta, state(15, 15, 0), untransferable).errors;
  expect(many.map(({ shard }) => shard)).toEqual([...Array(15).fill(0), ...Array(5).fill(1)]);
});

test("a .fail that could not tell the shard's content counts, one of other content does not", () => {
  const of = (sha: string | null) =>
    accountOf(meta, [files({ fail: value({ ...fail.value, sha256: sha }) })], untransferable).shards;
  expect(of(null)).toMatchObject({ failed: 1, unfinished: 2 });
  expect(of(sha256)).toMatchObject({ failed: 1, unfinished: 2 });
  expect(of("b".repeat(64))).toMatchObject({ failed: 0, unfinished: 3 });
});

test("a valid .done outweighs a .fail of an earlier attempt", () => {
  const account = accountOf(meta, [files({ done, fail })], untransferable);
  expect(account.shards).toMatchObject({ done: 1, failed: 0 });
  expect(account.failed).toEqual({ objects: 0, bytes: 0 });
  expect(account.errors).toEqual([]);
});
