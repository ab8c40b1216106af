import { describe, expect, test } from "bun:test";
import submit from "../../../cmd/slurm/submit.ts";
import { always, optionsGiven, toldOf } from "../command-line.ts";

describe("xfer slurm submit: what its flags say", () => {
  const usual = {
    ...{ ...always, "run-dir": "run", "image-check": true, json: false },
    ...{ force: false, verify: false, "allow-untransferable": false },
  };
  const rows: [string, object][] = [
    ["--run-dir run", usual],
    ["--run-dir run --image-check", usual],
    ["--run-dir run --no-image-check --json", { ...usual, "image-check": false, json: true }],
    ["--run-dir run --verify", { ...usual, verify: true }],
    ["--run-dir run --force", { ...usual, force: true }],
    ["--run-dir run -q", { ...usual, quiet: true }],
    ["--run-dir run --color=never", { ...usual, color: "never" }],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await optionsGiven(submit, line)).toEqual(options);
  });
});

describe("xfer slurm submit: a wrong value is told", () => {
  const rows: [string, string][] = [
    ["", "--run-dir is missing"],
    ["--run-dir", "--run-dir needs a value"],
    ["--run-dir run --json=yes", "--json takes no value"],
    ["run", 'unexpected argument "run"'],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(submit, line)).toBe(told);
  });
});
