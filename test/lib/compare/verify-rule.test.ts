import { expect, test } from "bun:test";
import type { Relation } from "../../../lib/compare/comparison.ts";
import * as rule from "../../../lib/compare/verify-rule.ts";

/** The verdict, its reason, and whether it fails where hashes are compared if known, required, or not looked at. */
const rows: [Relation, rule.Verdict, string, auto: boolean, require: boolean, off: boolean][] = [
  ["missing", "missing", "not at the destination", true, true, true],
  ["size-differs", "differs", "another size at the destination", true, true, true],
  ["hash-differs", "differs", "another MD5 at the destination", true, true, true],
  ["size-equal", "size-only", "same size; no MD5 to compare on one side", false, true, false],
  ["hash-equal", "hash-proven", "same size and MD5", false, false, false],
];

test.each(rows)("%s is %s", (relation, verdict, reason, auto, require, off) => {
  expect(rule.verifyVerdict(relation)).toEqual({ verdict, reason });
  expect(rule.checksumModes.map((mode) => rule.isFailure(verdict, mode))).toEqual([auto, require, off]);
});

test("the verdicts are listed from best to worst, each once", () => {
  expect(rule.verdicts).toEqual(["hash-proven", "size-only", "differs", "missing"]);
  expect(new Set(rows.map(([, verdict]) => verdict))).toEqual(new Set(rule.verdicts));
});
