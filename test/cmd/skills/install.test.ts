import { expect, test } from "bun:test";
import { root } from "../../../cmd/cli/commands.ts";
import { complete } from "../../../cmd/cli/complete.ts";
import { loadTree } from "../../../cmd/cli/load-tree.ts";
import install, { folderOf } from "../../../cmd/skills/install.ts";
import { always, optionsGiven, toldOf } from "../command-line.ts";

test.each<[string | undefined, boolean, string]>([
  [undefined, false, ".claude/skills"],
  ["skills", false, "skills"],
  [undefined, true, "/home/me/.claude/skills"],
])("DIR %p, --user %p: skills go to %s", (dir, user, folder) => {
  expect(folderOf(dir, { user, home: "/home/me" })).toBe(folder);
});

test.each<[string, boolean, string]>([
  ["skills", true, "--user names the folder: leave DIR out"],
  ["", false, "DIR must not be empty"],
  ["", true, "DIR must not be empty"],
])("DIR %p, --user %p is refused: %s", (dir, user, told) => {
  expect(() => folderOf(dir, { user, home: "/home/me" })).toThrow(told);
});

test("without a word nothing is forced", async () => {
  expect(await optionsGiven<object>(install, "")).toEqual({
    ...always,
    user: false,
    force: false,
    json: false,
  });
});

test.each([
  ["one two", 'unexpected argument "two"'],
  ["--users", "unknown flag --users"],
  ["--user=x", "--user takes no value"],
])("xfer skills install %s is refused", async (line, told) => {
  expect(await toldOf(install, line)).toBe(told);
});

test("a shell completes DIR with folders, and nothing after it", async () => {
  const tree = await loadTree(root);
  expect(complete(tree, ["skills", "install", "s"])).toEqual({ candidates: [], names: "folder" });
  expect(complete(tree, ["skills", "install", "skills", ""]).names).toBeUndefined();
});
