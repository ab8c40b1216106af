import { expect, test } from "bun:test";
import { HiddenFolders } from "../../../lib/listing/hidden-folders.ts";
import { ListerMessages } from "../../../lib/listing/lister-messages.ts";

const json = (level: string, msg: string, object?: string) => JSON.stringify({ level, msg, object });
const denied = 'failed to open directory "deny": open /t/deny: permission denied';
const ended160 = "2026/11/25 02:25:17 Failed to lsjson with 3 errors: last error was: error in ListJSON: x";
const ended = json("notice", "Failed to lsjson with 3 errors: last error was: x");

/** What rclone printed, and the folders that the listing lacks; undefined when it has failed as a whole. */
const rows: [string, string[], [string, string][] | undefined][] = [
  [
    "a folder that may not be read, rclone 1.60",
    [json("error", denied, "deny"), ended160],
    [["deny", denied]],
  ],
  ["the same, rclone 1.75", [json("error", denied, "deny"), ended], [["deny", denied]]],
  [
    "a folder whose entries cannot be looked at, and one that is gone",
    [
      json("error", "lstat /t/nox/c: permission denied", "nox"),
      json("error", "error listing: failed to read directory entry: x", "nox"),
      json("error", "error listing: directory not found", "gone"),
      ended160,
    ],
    [
      ["nox", "lstat /t/nox/c: permission denied"],
      ["gone", "error listing: directory not found"],
    ],
  ],
  [
    "a root that is not there",
    ["2026/11/25 02:25:17 Failed to lsjson: error in ListJSON: directory not found"],
    [["", "Failed to lsjson: error in ListJSON: directory not found"]],
  ],
  [
    "a store that throttles",
    [json("error", "error listing: SlowDown: status code: 503", "d"), ended160],
    undefined,
  ],
  [
    "a store that refuses",
    [json("error", "error listing: AccessDenied: status code: 403", "d"), ended],
    undefined,
  ],
  ["rclone without its own last words", [json("error", denied, "deny")], undefined],
  ["nothing said", [ended160], undefined],
  [
    "the step killed beside",
    [json("error", denied, "deny"), ended160, "srun: error: n1: task 0: Killed"],
    undefined,
  ],
  ["an error about nothing", [json("error", denied, "deny"), json("error", "no memory"), ended], undefined],
];

for (const [name, lines, folders] of rows) {
  test(`folders that cannot be listed: ${name}`, () => {
    const messages = new ListerMessages();
    for (const line of lines) messages.take(line);
    expect(messages.unlistable()).toEqual(folders?.map(([path, reason]) => ({ path, reason })));
  });
}

test("what rclone says that it leaves out is counted, and is shown as a person would read it", () => {
  const messages = new ListerMessages();
  expect(messages.take(json("warning", "Can't follow symlink without -L/--copy-links", "a/loop"))).toBe(
    "WARNING: a/loop: Can't follow symlink without -L/--copy-links",
  );
  messages.take(json("notice", "Can't transfer non file/directory", "fifo"));
  messages.take(json("error", 'Entry doesn\'t belong in directory "a" (contains subdir) - ignoring', "a//b"));
  expect(messages.take("srun: job 7 queued")).toBe("srun: job 7 queued");
  expect(messages).toMatchObject({
    leftOut: 2,
    firstLeftOut: expect.stringContaining("loop"),
  });
  expect(messages.dropped.map(({ path }) => path)).toEqual(["a//b"]);
});

test("rclone's version is told by its first line at -vv", () => {
  const messages = new ListerMessages();
  messages.take(
    json("debug", 'Version "v1.60.1-DEV" starting with parameters ["rclone" "lsjson"]', "rclone"),
  );
  messages.take(json("debug", 'Version "v9.9" is what an object is called', "a"));
  expect(messages.version).toBe("1.60.1-DEV");
});

test("the hidden folder above a key is found by whole names, at any depth", () => {
  const folders = ["deny", "a/b/deny"].map((path) => ({ path, reason: `r ${path}` }));
  const hidden = new HiddenFolders(folders);
  const above = ["deny/x", "deny/x/y", "a/b/deny/x", "deny", "denyx/y", "a/deny/x", "a/b/c", "x/deny/y"].map(
    (key) => hidden.above(key)?.path,
  );
  expect(above).toEqual(["deny", "deny", "a/b/deny", ...Array(5).fill(undefined)]);
  expect(hidden.above("deny/x")?.reason).toBe("r deny");
  expect([hidden.size, new HiddenFolders([]).size, new HiddenFolders([]).above("deny/x")]).toEqual([
    2,
    0,
    undefined,
  ]);
});
