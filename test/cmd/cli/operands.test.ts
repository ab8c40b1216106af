import { expect, test } from "bun:test";
import { splitOperands } from "../../../cmd/cli/operands.ts";
import { flag } from "../../../cmd/flags/make.ts";

const flags = {
  out: flag.folder({ group: "output", alias: "o", description: "where to" }),
  all: flag.on({ group: "output", description: "all" }),
};
const two = { usage: "[COMMAND...]", most: 2 };

test.each<[string[], string[], string[]]>([
  [[], [], []],
  [["manifest", "build"], ["manifest", "build"], []],
  [["--all", "manifest"], ["manifest"], ["--all"]],
  [["--out", "d", "manifest"], ["manifest"], ["--out", "d"]],
  [["-o", "d", "manifest"], ["manifest"], ["-o", "d"]],
  [["--out=d", "manifest", "--all"], ["manifest"], ["--out=d", "--all"]],
  [["--all", "--", "--out", "x"], ["--out", "x"], ["--all"]],
  [["-"], ["-"], []],
  [["--frob", "a"], ["a"], ["--frob"]],
])("of %p the words beside flags are %p", (words, operands, rest) => {
  expect(splitOperands(two, flags, words)).toEqual({ operands, rest });
});

test("more than a command takes are refused", () => {
  expect(() => splitOperands(two, flags, ["a", "b", "c"])).toThrow('unexpected argument "c"');
});

test("a command that takes none leaves all words to its flags", () => {
  expect(splitOperands(undefined, flags, ["a", "--", "b"])).toEqual({ operands: [], rest: ["a", "--", "b"] });
});
