import { expect, test } from "bun:test";
import { causesOf, joinFailures, reasonOf } from "../../../lib/run/causes.ts";
import type { FailState } from "../../../lib/run/state/fail.ts";

const sha256 = "a".repeat(64);
const entry = { records: 10, bytes: 100, sha256 };
const none = { kind: "none" } as const;
const error = (path: string, message: string, size = 1) => ({ path, size, class: "auth" as const, message });

function failed(errors: FailState["errors"], more: Partial<FailState> = {}) {
  const value = {
    ...{
      schema: "xfer.fail.v1",
      shard: 0,
      sha256,
      class: "auth",
      final: true,
      message: "whole",
      exit_code: 1,
    },
    ...{ records: 10, bytes: 100, proven: 0, proven_bytes: 0, unchanged: 0, unchanged_bytes: 0 },
    ...{ failed: errors.length, failed_bytes: 7, attempt: 1, node: "n", failed_at: "", errors, ...more },
  } as FailState;
  return { done: none, fail: { kind: "value" as const, value } };
}

test.each([
  ["open /src/dir/b: permission denied", "dir/b", "open /src/*: permission denied"],
  ["sizes differ 10 vs 7", "a", "sizes differ # vs #"],
  ["AccessDenied: Access Denied", "A", "AccessDenied: Access Denied"],
  ["the image is not there", null, "the image is not there"],
  ["shard_000003.jsonl: digest 00cc10cc5ab0, defaced", null, "shard_#.jsonl: digest #, defaced"],
])("the reason in %p about %p", (message, path, reason) => expect(reasonOf(message, path)).toBe(reason));

test("sixteen shards that fail for one reason are one cause, whatever their objects are called", () => {
  const shards = Array.from({ length: 16 }, (_, i) =>
    failed([
      error(`object-${i}`, `open /in/object-${i}: permission denied`),
      error(`other-${i}`, `open /in/other-${i}: permission denied`, 2),
    ]),
  );
  expect(causesOf({ shards: Array(16).fill(entry) }, shards)).toEqual([
    {
      ...{ class: "auth", message: "open /in/object-0: permission denied", num_shards: 16, first_shard: 0 },
      ...{ objects: 32, bytes: 48, at_least: false, first_path: "object-0" },
    },
  ]);
});

test("other classes and other words are other causes, that of the most shards first", () => {
  const files = [
    failed([error("gone", "NoSuchKey")], { failed: 1 }),
    failed([error("b", "AccessDenied"), error("c", "NoSuchKey")]),
    failed([error("d", "AccessDenied"), { ...error("e", "AccessDenied"), class: "config" as const }]),
    failed([error("f", "AccessDenied")]),
  ];
  const found = causesOf({ shards: Array(4).fill(entry) }, files);
  expect(found.map((cause) => [cause.class, cause.message, cause.num_shards, cause.first_shard])).toEqual([
    ["auth", "AccessDenied", 3, 1],
    ["auth", "NoSuchKey", 2, 0],
    ["config", "AccessDenied", 1, 2],
  ]);
});

test("a shard that names no object fails as a whole, and one that names not all says so", () => {
  const whole = failed([], { failed: 10, failed_bytes: 100 });
  expect(causesOf({ shards: [entry] }, [whole])).toMatchObject([
    { message: "whole", objects: 10, bytes: 100, at_least: false, first_path: null },
  ]);
  const cut = failed([error("a", "AccessDenied")], { failed: 5_000 });
  expect(causesOf({ shards: [entry] }, [cut])).toMatchObject([{ objects: 1, at_least: true }]);
});

test("a shard that is done, and a .fail of other content, say nothing", () => {
  const done = { kind: "value" as const, value: { sha256, records: 10 } } as never;
  const fail = failed([error("a", "AccessDenied")]);
  const stale = failed([error("a", "AccessDenied")], { sha256: "b".repeat(64) });
  expect(causesOf({ shards: [entry, entry, entry] }, [{ ...fail, done }, stale])).toEqual([]);
});

test("failures without objects are joined by their words, numbers left out", () => {
  const held = (shard: number) => ({
    ...{ shard, class: "unknown" as const, message: `another agent is at work on it (pid ${shard + 100})` },
    ...{ objects: 0, bytes: 0, at_least: false, first_path: null },
  });
  expect(joinFailures([held(3), held(4)])).toMatchObject([
    { message: "another agent is at work on it (pid 103)", num_shards: 2, first_shard: 3 },
  ]);
});
