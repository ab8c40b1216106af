import { expect, test } from "bun:test";
import type { Outcome } from "../../../lib/compare/comparison.ts";
import * as rule from "../../../lib/compare/delta-rule.ts";

/** What each comparison says: n new, s same, c changed, ? changed since it cannot be compared. */
const rows: [Outcome["relation"], Outcome["age"], size: string, checksum: string, mtime: string][] = [
  ["missing", "unknown", "n", "n", "n"],
  ["missing", "older", "n", "n", "n"],
  ["missing", "not-older", "n", "n", "n"],
  ["size-differs", "unknown", "c", "c", "c"],
  ["size-differs", "older", "c", "c", "c"],
  ["size-differs", "not-older", "c", "c", "c"],
  ["hash-differs", "unknown", "s", "c", "?"],
  ["hash-differs", "older", "s", "c", "c"],
  ["hash-differs", "not-older", "s", "c", "s"],
  ["size-equal", "unknown", "s", "?", "?"],
  ["size-equal", "older", "s", "?", "c"],
  ["size-equal", "not-older", "s", "?", "s"],
  ["hash-equal", "unknown", "s", "s", "?"],
  ["hash-equal", "older", "s", "s", "c"],
  ["hash-equal", "not-older", "s", "s", "s"],
];

const letters = { new: "n", changed: "c", same: "s" } as const;

test.each(rows)("%s, %s: by size %s, by checksum %s, by time %s", (relation, age, size, checksum, mtime) => {
  const said: string[] = rule.compareModes.map((mode) => {
    const { verdict, notComparable } = rule.deltaVerdict({ relation, age }, mode);
    if (notComparable) expect(verdict).toBe("changed");
    return notComparable ? "?" : letters[verdict];
  });
  expect(said).toEqual([size, checksum, mtime]);
});
