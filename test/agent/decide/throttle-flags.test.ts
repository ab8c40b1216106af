import { expect, test } from "bun:test";
import { candidFlags } from "../../../agent/decide/throttle-flags.ts";

const first = { pass: 1, passes: 10, largestBytes: 1_000, usesS3: true };
const few = ["--low-level-retries", "2"];

test.each<[what: string, given: [string, string][], run: Partial<typeof first>, flags: string[]]>([
  ["the first pass over small objects of S3", [], {}, few],
  ["the user's are more", [["low-level-retries", "20"]], {}, few],
  ["the user's are fewer", [["low-level-retries", "1"]], {}, []],
  ["a later pass", [], { pass: 2 }, []],
  ["the only pass", [], { passes: 1 }, []],
  ["an object that is dear to move again", [], { largestBytes: 65 * 1024 * 1024 }, []],
  ["no S3", [], { usesS3: false }, []],
])("repeats in silence: %s", (_what, given, run, flags) => {
  expect(candidFlags(new Map(given), { ...first, ...run })).toEqual(flags);
});
