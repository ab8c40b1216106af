import { describe, expect, test } from "bun:test";
import combine from "../../../cmd/manifest/combine.ts";
import { always, optionsGiven, toldOf } from "../command-line.ts";

const needed = "--source src:set --dest dst:set --parts-dir parts --out m.jsonl";

describe("xfer manifest combine: what its flags say", () => {
  const usual = {
    ...{ ...always, source: "src:set", dest: "dst:set", out: "m.jsonl" },
    ...{ "parts-dir": "parts", "run-id": undefined, json: false },
  };
  const rows: [string, object][] = [
    ["", usual],
    ["--run-id x --json", { ...usual, "run-id": "x", json: true }],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await optionsGiven(combine, `${needed} ${line}`)).toEqual(options);
  });
});

describe("xfer manifest combine: a wrong value is told", () => {
  const rows: [string, string][] = [
    ["--source s --dest d --out m", "--parts-dir is missing"],
    [`${needed} --parts-dir=`, '--parts-dir: must not be empty, not ""'],
    [`${needed} --run-id 'a b'`, '--run-id: must be 1 to 100 letters, digits, _ . and -, not "a b"'],
    [`${needed} --runtime host`, "unknown flag --runtime"],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(combine, line)).toBe(told);
  });
});
