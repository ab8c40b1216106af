import { expect, test } from "bun:test";
import { partsMax, prefixesOf, splitProblem } from "../../../lib/listing/fan-out.ts";

const level = (names: readonly string[], more: { prefix?: string; dropped?: string } = {}) => ({
  prefix: more.prefix ?? "",
  names,
  dropped: more.dropped,
});

test.each<[string, readonly string[]]>([
  ["nothing", []],
  ["plain names", ["a", "b c", "year=2026"]],
  ["dots in names", ["...", ".hidden", "a..b"]],
  ["letters of four bytes", ["\u{1f600}", "\u{10ffff}"]],
  ["letters near those that stand for others", ["\u23ff", "\u2427", "\u201a", "\u201c", "\ufeff", "\ufff0"]],
  ["names that differ in case or form", ["a", "A", "\u00e9", "e\u0301"]],
])("a level of %s may be split", (_, names) => {
  expect(splitProblem(level(names), partsMax)).toBeUndefined();
});

test.each([
  "",
  ".",
  "..",
  "a/b",
  "a\nb",
  "a\u0000",
  "a\u001f",
  "a\u007f",
  "a\u2400",
  "a\u240a",
  "a\u2426",
  "\u201ba",
  "\uff0f",
  "\uff0e",
  "\uff00",
  "\uffef",
  "\ufffd",
])("a level with the prefix %j is not split: it may be listed by another name than it has", (name) => {
  expect(splitProblem(level(["a", name]), partsMax)).toBe(
    `it has a prefix that cannot be listed by its name: ${JSON.stringify(name)}`,
  );
});

test("a level is not split where something of it would be lost", () => {
  expect(splitProblem(level(["a", "b", "a"]), partsMax)).toBe("it has two prefixes of one name");
  expect(splitProblem(level(["a"], { dropped: "a//b" }), partsMax)).toBe(
    "it has keys that fit no directory tree (a//b)",
  );
});

test.each([
  [0, 0, true],
  [1, 0, false],
  [2_048, 2_048, true],
  [2_049, 2_048, false],
  [3, 2, false],
])("a level of %d prefixes, with %d parts left, may be split: %p", (count, left, may) => {
  const names = Array.from({ length: count }, (_, i) => `p${i}`);
  const problem = splitProblem(level(names), left);
  if (may) expect(problem).toBeUndefined();
  else expect(problem).toBe(`it has ${count} prefixes, and a listing has at most 2048 parts`);
});

test("the prefixes below a level are named from the root", () => {
  expect(prefixesOf(level(["a", "b"]))).toEqual(["a", "b"]);
  expect(prefixesOf(level(["a", "b"], { prefix: "x/y" }))).toEqual(["x/y/a", "x/y/b"]);
});
