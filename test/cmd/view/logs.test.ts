import { describe, expect, test } from "bun:test";
import { logJson, logLine, objectText } from "../../../cmd/view/logs.ts";
import type { PlacedEntry } from "../../../lib/operate/logs/log-cursor.ts";
import type { ObjectStory } from "../../../lib/operate/logs/object-story.ts";
import { visibleText } from "../../../lib/system/visible-text.ts";

const entry: PlacedEntry = {
  ...{ timeMs: 0, atMs: Date.UTC(2026, 0, 1), shard: 3, attempt: 2, from: "rclone", level: "info" },
  ...{ isStats: false, object: null, message: "Copied (new)", file: "shard_3_attempt_2.log" },
};

describe("a line of a log, for people", () => {
  const rows: [string, Partial<PlacedEntry>, string][] = [
    ["of an object", { object: "a/b" }, "shard 3 attempt 2: a/b: Copied (new)"],
    ["an error", { level: "error" }, "shard 3 attempt 2: error: Copied (new)"],
    ["of several lines", { message: "one\n\tstatus code: 403\n" }, "shard 3 attempt 2: one status code: 403"],
    [
      "of an agent, which says itself whose it is",
      { message: "shard 3: attempt 2: done: 1 object" },
      "shard 3 attempt 2: done: 1 object",
    ],
    ["of nobody", { shard: null, attempt: null, message: "slurmstepd: x" }, "slurmstepd: x"],
    [
      "with what a terminal would obey",
      { object: "a\x1b[2J\nb\u202e", message: "x\x07y" },
      "shard 3 attempt 2: a\\x1b[2J\\nb\\u202e: x\\x07y",
    ],
  ];
  test.each(rows)("%s", (_, more, text) => {
    expect(logLine({ ...entry, ...more })).toBe(`2026-01-01T00:00:00.000Z ${text}\n`);
  });

  test("in color", () => {
    const text = logLine({ ...entry, level: "error" }, { isColored: true });
    expect(text).toBe("2026-01-01T00:00:00.000Z shard 3 attempt 2: \x1b[31merror:\x1b[39m Copied (new)\n");
  });

  test("of no known time", () => {
    expect(logLine({ ...entry, atMs: 0, timeMs: null })).toBe(
      `${"-".padEnd(24)} shard 3 attempt 2: Copied (new)\n`,
    );
  });
});

test("a line as JSON keeps what was said", () => {
  expect(logJson({ ...entry, object: "a\nb", message: "x\x1b" })).toEqual({
    ...{ schema: "xfer.log.v1", time: "1970-01-01T00:00:00.000Z", shard: 3, attempt: 2, from: "rclone" },
    ...{ level: "info", object: "a\nb", message: "x\x1b", file: "shard_3_attempt_2.log" },
  });
});

test.each<[string, string]>([
  ["plain é 日本 😀", "plain é 日本 😀"],
  ["tab\tcr\rnl\n", "tab\\tcr\\rnl\\n"],
  ["\x00\x9b\u2066\ufeff", "\\x00\\x9b\\u2066\\ufeff"],
])("%p as a terminal shows it", (text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

test("the story of an object that failed, and of one that was left out", () => {
  const story: ObjectStory = {
    ...{ schema: "xfer.object.v1", run_dir: "run", key: "a/b", place: "shard", shard: 3, index: 7 },
    ...{ record: { size: 1536, mtime: "2025-01-01T00:00:00Z" }, shard_state: "failed", proof: null },
    fail: { class: "auth", message: "refused", attempt: 2 },
    verified: { verdict: "missing", reason: "not listed", at: "2026-01-02T00:00:00Z" },
    ...{ lines: [{ ...entry, object: "a/b", level: "error", message: "refused" }], more_lines: 2 },
  };
  expect(objectText(story)).toBe(
    [
      "object    a/b",
      "record    record 7 of shard 3, 1.5 KiB, modified 2025-01-01T00:00:00Z",
      "proof     none: it is not proven; shard 3 has failed",
      "failed    attempt 2: auth: refused",
      "verified  missing: not listed (2026-01-02T00:00:00Z)",
      "log",
      "  2026-01-01T00:00:00.000Z attempt 2: error: a/b: refused",
      "  and 2 more lines",
      "",
    ].join("\n"),
  );
  const none = {
    shard: null,
    index: null,
    shard_state: null,
    proof: null,
    fail: null,
    verified: null,
    lines: [],
  };
  const left = {
    ...story,
    ...none,
    more_lines: 0,
    place: "untransferable",
    record: { reason: "a//b" },
  } as const;
  expect(objectText(left)).toBe("object    a/b\nrecord    untransferable: a//b\nverified  no\n");
});
