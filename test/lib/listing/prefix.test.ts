import { expect, test } from "bun:test";
import { compareUtf8, joinPrefix } from "../../../lib/listing/prefix.ts";

test.each([
  ["", "a", "a"],
  ["", "", ""],
  ["p", "a", "p/a"],
  ["p/q", "a/b", "p/q/a/b"],
  // The prefix's own marker.
  ["p", "", "p/"],
  // A folder without a name: two slashes are a key of their own.
  ["p/", "a", "p//a"],
  ["p", "/a", "p//a"],
])("below %j, %j is %j", (prefix, path, joined) => {
  expect(joinPrefix(prefix, path)).toBe(joined);
});

/** In the order of S3: by the bytes of UTF-8. */
const ordered = [
  "",
  "\0",
  "A",
  "B",
  "a",
  "a\0",
  "a!",
  "a/",
  "a/b",
  "a0",
  "ab",
  "\u007f",
  "\u0080",
  "\uffee",
  "\u{10000}",
  "\u{10ffff}",
];

test("names are ordered by their bytes, beyond the basic plane too", () => {
  for (const [i, one] of ordered.entries()) {
    for (const [j, other] of ordered.entries()) {
      expect(Math.sign(compareUtf8(one, other))).toBe(Math.sign(i - j));
    }
  }
  expect(ordered.toReversed().sort(compareUtf8)).toEqual(ordered);
});
