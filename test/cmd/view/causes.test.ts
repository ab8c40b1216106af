import { describe, expect, test } from "bun:test";
import { causeLine, causeLines, causeMessages, mendOf } from "../../../cmd/view/causes.ts";
import { failureClasses } from "../../../lib/rclone/failure-class.ts";
import type { FailureCause } from "../../../lib/run/causes.ts";

const denied: FailureCause = {
  ...{
    class: "auth",
    message: "Failed to copy: AccessDenied: Access Denied",
    num_shards: 16,
    first_shard: 0,
  },
  ...{ objects: 64, bytes: 6_400, at_least: false, first_path: "a/b" },
};
const gone: FailureCause = {
  ...{ class: "missing", message: "NoSuchKey: no such key", num_shards: 1, first_shard: 3 },
  ...{ objects: 1, bytes: 7, at_least: false, first_path: "c" },
};
const held: FailureCause = {
  ...{ class: "unknown", message: "another agent is at work on it", num_shards: 2, first_shard: 4 },
  ...{ objects: 0, bytes: 0, at_least: false, first_path: null },
};

test.each([
  [denied, "16 shards: auth: Failed to copy: AccessDenied: Access Denied (64 objects, the first: a/b)"],
  [gone, "shard 3: missing: c: NoSuchKey: no such key"],
  [{ ...gone, at_least: true }, "shard 3: missing: NoSuchKey: no such key (1 object or more, the first: c)"],
  [
    { ...denied, first_path: null },
    "16 shards: auth: Failed to copy: AccessDenied: Access Denied (64 objects)",
  ],
  [held, "2 shards: unknown: another agent is at work on it"],
])("%j on one line", (cause, line) => expect(causeLine(cause)).toBe(line));

test("an account says each reason once, with its mend and where to look", () => {
  expect(causeLines([denied, gone], "run")).toEqual([
    "  16 shards: auth: Failed to copy: AccessDenied: Access Denied (64 objects, the first: a/b)",
    "    to mend it: see that the credentials in rclone.conf are valid and may read the source and write to the destination",
    "  shard 3: missing: c: NoSuchKey: no such key",
    "    to mend it: they are gone from the source since it was listed: a new run directory lists it anew",
    "  see run/state/*.fail; once it is mended, run the same command again",
  ]);
  expect(causeLines([], "run")).toEqual([]);
  expect(causeLines([held], "run").at(-1)).toStartWith("  see run/logs/agent_*.out;");
});

test("a mend that stands already is not said again, and of many reasons the first five are shown", () => {
  const many = Array.from({ length: 7 }, (_, i) => ({ ...gone, message: `NoSuchKey ${"x".repeat(i)}` }));
  const lines = causeLines(many, "run");
  expect(lines.filter((line) => line.includes("to mend it"))).toHaveLength(1);
  expect(lines.at(-2)).toBe("  and 2 more reasons");
});

test("a log says a reason and its mend on one line", () => {
  expect(causeMessages([denied], "run")).toEqual([
    "16 shards: auth: Failed to copy: AccessDenied: Access Denied (64 objects, the first: a/b); to mend it: see that the " +
      "credentials in rclone.conf are valid and may read the source and write to the destination; see run/state/*.fail",
  ]);
});

describe("what mends a reason", () => {
  test.each([
    ["Failed to copy: failed to open source object: AccessDenied: Access Denied", "may read the source"],
    ["Failed to copy: AccessDenied: Access Denied (PutObject)", "may write to the destination"],
    ["open /in/a: permission denied", "run as somebody who may read the source and write to the destination"],
  ])("%s", (message, mend) => expect(mendOf({ class: "auth", message, objects: 1 })).toEndWith(mend));

  test("is the other run's end where that holds the shards, and not known of an agent without a word", () => {
    expect(mendOf(held)).toBe("let the other run end, or stop it");
    expect(mendOf({ ...held, message: "its agent ended without a word" })).toBeUndefined();
  });

  test("is there for every class, and not said where the message says it", () => {
    for (const failure of failureClasses)
      expect(mendOf({ class: failure, message: "so it is", objects: 1 })).toBeTruthy();
    const message =
      "rclone was not found on PATH (looked in /bin): install it here, or put its folder on PATH";
    expect(mendOf({ class: "config", message, objects: 1 })).toBeUndefined();
  });
});
