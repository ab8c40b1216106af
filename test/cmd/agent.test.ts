import { describe, expect, test } from "bun:test";
import agent from "../../cmd/agent.ts";
import { always, optionsGiven, toldOf } from "./command-line.ts";

describe("xfer agent: what its flags say", () => {
  const unsaid = {
    ...{ ...always, shard: undefined, stride: undefined, only: undefined, verify: undefined },
    ...{ collect: false, "allow-untransferable": false },
  };
  const rows: [string, object][] = [
    ["--run-dir run", { ...unsaid, "run-dir": "run" }],
    ["--run-dir=run --shard 0", { ...unsaid, "run-dir": "run", shard: 0 }],
    ["--run-dir run --shard 999999 --stride 7", { ...unsaid, "run-dir": "run", shard: 999_999, stride: 7 }],
    ["--run-dir run --only 17,3", { ...unsaid, "run-dir": "run", only: [3, 17] }],
    ["--run-dir run --verify require", { ...unsaid, "run-dir": "run", verify: "require" }],
    [
      "--run-dir . --collect --verify auto --allow-untransferable",
      { ...unsaid, "run-dir": ".", collect: true, verify: "auto", "allow-untransferable": true },
    ],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await optionsGiven(agent, line)).toEqual(options);
  });
});

describe("xfer agent: a wrong value is told", () => {
  const rows: [string, string][] = [
    ["--shard 1", "--run-dir is missing"],
    ["--run-dir=", '--run-dir: must not be empty, not ""'],
    ["--run-dir run --shard -1", '--shard: must be a whole number from 0 to 999999, not "-1"'],
    ["--run-dir run --shard 1000000", '--shard: must be at most 999999, not "1000000"'],
    ["--run-dir run --stride 0", '--stride: must be at least 1, not "0"'],
    ["--run-dir run --only all", '--only: must be numbers and ranges, such as 3,17,40-44, not "all"'],
    ["--run-dir run --verify yes", '--verify: must be one of auto, require, off, not "yes"'],
    ["--run-dir run --color red", '--color: must be one of auto, always, never, not "red"'],
    ["--run-dir run 3", 'unexpected argument "3"'],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(agent, line)).toBe(told);
  });
});
