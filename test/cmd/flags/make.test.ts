import { describe, expect, test } from "bun:test";
import { byteCount } from "../../../cmd/flags/cost.ts";
import { flag, noLimit } from "../../../cmd/flags/make.ts";
import { shardCount, shardsMax } from "../../../cmd/flags/plan.ts";
import { readFlags } from "../../../cmd/flags/read.ts";
import { invalidInput } from "../../../lib/system/errors.ts";

const about = { group: "what", description: "something" } as const;

/** A flag of each kind that may be left out. */
const flags = {
  text: flag.text(about),
  from1: flag.whole(1, noLimit, about),
  to256: flag.whole(0, 256, about),
  one: flag.oneOf(["fast", "safe"], about),
  size: flag.parsed(...byteCount, about),
  shards: flag.read(shardCount, about),
  name: flag.checked((name) => (name === "bad" ? '"bad" is no name: write another one' : undefined), about),
  words: flag.words(about),
  theirs: flag.words(about, {
    read: (text) => {
      if (text === "bad") throw invalidInput("--theirs: they refuse it");
      return text === "" ? [] : [text];
    },
    problemOf: ([word]) => (word === "secret" ? "a credential is in it" : undefined),
  }),
  on: flag.on(about),
  both: flag.onOff({ ...about, negativeDescription: "nothing" }),
};

type Name = keyof typeof flags;

const read = (name: Name, given: unknown) => readFlags({ [name]: flags[name] }, { [name]: given })[name];

describe("what a value is read as", () => {
  const rows: [Name, string | boolean, string | number | boolean | string[]][] = [
    ["text", "a b", "a b"],
    ["from1", "1", 1],
    ["from1", "007", 7],
    ["from1", "999999999", 999_999_999],
    ["to256", "0", 0],
    ["to256", "256", 256],
    ["one", "safe", "safe"],
    ["size", "1MiB", 1_048_576],
    ["shards", "auto", "auto"],
    ["shards", "12", 12],
    ["name", "good", "good"],
    ["words", "--a 'b c' d", ["--a", "b c", "d"]],
    ["words", "", []],
    ["theirs", "a b", ["a b"]],
    ["on", true, true],
    ["both", true, true],
    ["both", false, false],
  ];

  test.each(rows)("--%s %j", (name, given, value) => {
    expect(read(name, given)).toEqual(value);
  });
});

describe("a wrong value is named with what is allowed", () => {
  const rows: [Name, string, string][] = [
    ["text", "", 'must not be empty, not ""'],
    ["from1", "many", 'must be a whole number of at least 1, not "many"'],
    ["from1", "1.5", 'must be a whole number of at least 1, not "1.5"'],
    ["from1", "-1", 'must be a whole number of at least 1, not "-1"'],
    ["from1", "1e9", 'must be a whole number of at least 1, not "1e9"'],
    ["from1", "9999999999", 'must be a whole number of at least 1, not "9999999999"'],
    ["from1", "0", 'must be at least 1, not "0"'],
    ["to256", "", 'must be a whole number from 0 to 256, not ""'],
    ["to256", "257", 'must be at most 256, not "257"'],
    ["one", "slow", 'must be one of fast, safe, not "slow"'],
    ["one", "", 'must be one of fast, safe, not ""'],
    ["one", "FAST", 'must be one of fast, safe, not "FAST"'],
    ["size", "big", 'must be a number of bytes such as 1048576, 1MiB or 1.5GB, not "big"'],
    ["shards", "few", `must be auto or a whole number from 1 to ${shardsMax}, not "few"`],
    ["shards", "0", 'must be at least 1, not "0"'],
    ["name", "bad", '"bad" is no name: write another one'],
    ["name", "", 'must not be empty, not ""'],
    ["words", "'a", "a quote is not closed"],
    ["theirs", "bad", "they refuse it"],
    ["theirs", "secret", "a credential is in it"],
  ];

  test.each(rows)("--%s %j", (name, given, problem) => {
    expect(() => read(name, given)).toThrow(new Error(`--${name}: ${problem}`));
  });
});

test("what is left out is undefined, no words, or off", () => {
  expect(readFlags(flags, {})).toEqual({
    ...{ text: undefined, from1: undefined, to256: undefined, one: undefined, size: undefined },
    ...{ shards: undefined, name: undefined, words: [], theirs: [], on: false, both: undefined },
  });
});

test("a default is written as a user would write it; a flag that must be given is missed by name", () => {
  const count = flag.whole(1, 9, { ...about, default: 4 });
  expect(count).toMatchObject({ type: "string", default: "4", valueHint: "N", common: false });
  expect(readFlags({ count }, { count: count.default })).toEqual({ count: 4 });
  const must = flag.text({ ...about, required: true });
  expect(() => readFlags({ count, must }, { count: "1" })).toThrow(new Error("--must is missing"));
});

test("of several wrong flags the first one is told", () => {
  const { from1, one } = flags;
  expect(() => readFlags({ from1, one }, { from1: "x", one: "y" })).toThrow(/^--from1: /);
  expect(() => readFlags({ one, from1 }, { from1: "x", one: "y" })).toThrow(/^--one: /);
});

test("an error that is not the user's is not told as one", () => {
  const broken = flag.words(about, {
    read: () => {
      throw new TypeError("a mistake");
    },
  });
  expect(() => readFlags({ broken }, { broken: "x" })).toThrow(TypeError);
});
