import { describe, expect, test } from "bun:test";
import importCommand, { columnsOf } from "../../../cmd/manifest/import.ts";
import { always, listDefaults, optionsGiven, rcloneDefaults, toldOf } from "../command-line.ts";

const needed = "--in - --source src:set --dest dst:set --out m.jsonl";

describe("xfer manifest import: what its flags say", () => {
  const usual = {
    ...{ ...always, ...rcloneDefaults, ...listDefaults },
    ...{ in: "-", source: "src:set", dest: "dst:set", out: "m.jsonl", columns: undefined, json: false },
  };
  const rows: [string, object][] = [
    ["--format keys", { ...usual, format: "keys" }],
    ["--format lsf --columns pst --json", { ...usual, format: "lsf", columns: "pst", json: true }],
    [
      "--format s3-inventory --columns Bucket,Key",
      { ...usual, format: "s3-inventory", columns: "Bucket,Key" },
    ],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await optionsGiven(importCommand, `${needed} ${line}`)).toEqual(options);
  });
});

describe("xfer manifest import: a wrong value is told", () => {
  const rows: [string, string][] = [
    [needed, "--format is missing"],
    [`${needed} --format csv`, '--format: must be one of s3-inventory, lsf, keys, not "csv"'],
    [`${needed} --format lsf --columns=`, '--columns: must not be empty, not ""'],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(importCommand, line)).toBe(told);
  });
});

describe("the columns of what is imported", () => {
  type Given = Parameters<typeof columnsOf>[0];
  const rows: [Given, ReturnType<typeof columnsOf> | string][] = [
    [{ format: "keys", columns: undefined }, undefined],
    [{ format: "keys", columns: "pst" }, "--columns: a list of keys has no columns"],
    [
      { format: "lsf", columns: undefined },
      { format: "lsf", order: "pst" },
    ],
    [
      { format: "lsf", columns: "ps" },
      { format: "lsf", order: "ps" },
    ],
    [
      { format: "s3-inventory", columns: "Bucket,Key" },
      { format: "s3-inventory", order: "Bucket,Key" },
    ],
    [
      { format: "s3-inventory", columns: undefined },
      "--columns is needed: the fileSchema in the manifest.json of the inventory",
    ],
  ];
  test.each(rows)("%j", (given, expected) => {
    if (typeof expected === "string") expect(() => columnsOf(given)).toThrow(new Error(expected));
    else expect(columnsOf(given)).toEqual(expected);
  });
});
