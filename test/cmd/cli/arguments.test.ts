import { describe, expect, test } from "bun:test";
import { canonicalArguments } from "../../../cmd/cli/arguments.ts";
import { globalFlags } from "../../../cmd/flags/global.ts";
import { listerFlags, listFlags } from "../../../cmd/flags/listing.ts";
import { flag } from "../../../cmd/flags/make.ts";
import { rcloneFlags } from "../../../cmd/flags/rclone.ts";

const about = { group: "what", description: "something" } as const;
const { modtime, recursive } = listFlags;
const flags = {
  in: flag.text({ ...about, required: true }),
  count: flag.whole(1, 9, about),
  json: flag.on(about),
  each: flag.list(about),
  ...{ recursive, modtime },
  ...{ "very-verbose": listerFlags["very-verbose"], ...rcloneFlags },
  "rclone-flags": flag.words({ ...about, valueHint: "FLAGS" }),
  ...globalFlags,
};

const canonical = (words: readonly string[]) => canonicalArguments(flags, words);

describe("a flag in each of its spellings is one word under its own name", () => {
  const rows: [string, string[], string[]][] = [
    ["a value of its own word", ["--count", "3"], ["--count=3"]],
    ["a value joined", ["--count=3"], ["--count=3"]],
    ["an empty value", ["--in="], ["--in="]],
    ["a value with an equals sign", ["--in=a=b"], ["--in=a=b"]],
    ["a value with blanks and quotes", ["--in", `a 'b' "c"`], [`--in=a 'b' "c"`]],
    ["a value of many lines", ["--in", "a\nb"], ["--in=a\nb"]],
    ["a value that begins with a dash", ["--in", "-"], ["--in=-"]],
    ["a negative number", ["--count", "-1"], ["--count=-1"]],
    ["a value that looks like a flag of nobody", ["--in", "--other"], ["--in=--other"]],
    ["flags of another program", ["--rclone-flags", "--in x"], ["--rclone-flags=--in x"]],
    ["a flag of another program that is ours too", ["--rclone-flags", "--json"], ["--rclone-flags=--json"]],
    ["a flag twice", ["--count", "3", "--count=4"], ["--count=3", "--count=4"]],
    ["a flag whose values all count, once", ["--each", "a=b"], ["--each=a=b"]],
    [
      "a flag whose values all count",
      ["--each", "a", "--json", "--each=", "--each=c"],
      ["--each=a\0\0c", "--json"],
    ],
    ["a switch", ["--json"], ["--json"]],
    ["a switch off", ["--no-recursive"], ["--no-recursive"]],
    ["a short switch", ["-q"], ["--quiet"]],
    ["a short switch twice", ["-v", "-v"], ["--verbose", "--verbose", "--very-verbose"]],
    ["two short switches in one word", ["-vv"], ["--verbose", "--verbose", "--very-verbose"]],
    ["two of them", ["-qv"], ["--quiet", "--verbose"]],
    ["a shorthand", ["--no-modtime"], ["--modtime=none"]],
    [
      "the last value counts",
      ["--no-modtime", "--modtime", "server"],
      ["--modtime=none", "--modtime=server"],
    ],
    ["another name", ["--container-conf-path", "/c"], ["--rclone-conf-in-container=/c"]],
    ["another name, joined", ["--container-conf-path=/c"], ["--rclone-conf-in-container=/c"]],
    [
      "both names with one value",
      ["--container-conf-path=/c", "--rclone-conf-in-container", "/c"],
      ["--rclone-conf-in-container=/c", "--rclone-conf-in-container=/c"],
    ],
    ["nothing after the end of flags", ["--json", "--"], ["--json"]],
  ];

  test.each(rows)("%s", (_what, words, expected) => {
    const given = words.some((word) => /^--in(?:=|$)/.test(word)) ? words : ["--in=x", ...words];
    expect(canonical(given)).toEqual(words === given ? expected : ["--in=x", ...expected]);
  });
});

describe("what is not declared is refused by the word that the user wrote", () => {
  const rows: [string[], string][] = [
    [["--other"], "unknown flag --other"],
    [["--other=x"], "unknown flag --other"],
    [["-z"], "unknown flag -z"],
    [["--no-other"], "unknown flag --no-other"],
    [["--no-count"], "unknown flag --no-count"],
    [["--no-container-conf-path"], "unknown flag --no-container-conf-path"],
    [["--constructor"], "unknown flag --constructor"],
    [["--__proto__=x"], "unknown flag --__proto__"],
    [["--JSON"], "unknown flag --JSON"],
    [["--count"], "--count needs a value"],
    [["--count", "--json"], "--count needs a value"],
    [["--count", "--container-conf-path=/c"], "--count needs a value"],
    [["--container-conf-path"], "--container-conf-path needs a value"],
    [["--rclone-flags"], "--rclone-flags needs a value"],
    [["--json=yes"], "--json takes no value"],
    [["--no-recursive=yes"], "--no-recursive takes no value"],
    [["more"], 'unexpected argument "more"'],
    [["--json", "more"], 'unexpected argument "more"'],
    [["--", "--json"], 'unexpected argument "--json"'],
    [
      ["--rclone-conf-in-container=/a", "--container-conf-path=/b"],
      "--rclone-conf-in-container and --container-conf-path are one flag: give it one value",
    ],
    [
      ["--container-conf-path", "/b", "--rclone-conf-in-container", "/a"],
      "--container-conf-path and --rclone-conf-in-container are one flag: give it one value",
    ],
  ];

  test.each(rows)("%j", (words, message) => {
    expect(() => canonical(["--in=x", ...words])).toThrow(new Error(message));
  });

  test("a flag that must be given is missing, whatever else is right", () => {
    expect(() => canonical(["--json"])).toThrow(new Error("--in is missing"));
    expect(() => canonical([])).toThrow(new Error("--in is missing"));
  });
});

test("a command without --very-verbose takes -v as often as it comes", () => {
  expect(canonicalArguments(globalFlags, ["-vvv"])).toEqual(["--verbose", "--verbose", "--verbose"]);
});
