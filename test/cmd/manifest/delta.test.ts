import { describe, expect, test } from "bun:test";
import delta from "../../../cmd/manifest/delta.ts";
import { always, listDefaults, optionsGiven, rcloneDefaults, toldOf } from "../command-line.ts";

const needed = "--in m.jsonl --out d.jsonl";

describe("xfer manifest delta: what its flags say", () => {
  // What is listed of the source alone is not asked here.
  const { recursive: _r, modtime: _m, hash: _h, "run-id": _i, ...lister } = listDefaults;
  const usual = {
    ...{ ...always, ...rcloneDefaults, ...lister },
    ...{ in: "m.jsonl", out: "d.jsonl", "extra-out": undefined, compare: "size", json: false },
  };
  const rows: [string, object][] = [
    ["", usual],
    ["--compare checksum --extra-out e", { ...usual, compare: "checksum", "extra-out": "e" }],
    ["--compare mtime --json", { ...usual, compare: "mtime", json: true }],
    ["--container-conf-path /c -v", { ...usual, "rclone-conf-in-container": "/c", verbose: true }],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await optionsGiven(delta, `${needed} ${line}`)).toEqual(options);
  });
});

describe("xfer manifest delta: a wrong value is told", () => {
  const rows: [string, string][] = [
    ["--out d", "--in is missing"],
    ["--in m", "--out is missing"],
    [`${needed} --compare time`, '--compare: must be one of size, checksum, mtime, not "time"'],
    [`${needed} --extra-out=`, '--extra-out: must not be empty, not ""'],
    [`${needed} --list-parallel 1000`, '--list-parallel: must be at most 256, not "1000"'],
    [`${needed} --hash on`, "unknown flag --hash"],
    [`${needed} --no-modtime`, "unknown flag --no-modtime"],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(delta, line)).toBe(told);
  });
});
