import { describe, expect, test } from "bun:test";
import shard from "../../../cmd/manifest/shard.ts";
import { always, optionsGiven, toldOf } from "../command-line.ts";

const needed = "--in m.jsonl --outdir shards --num-shards";

describe("xfer manifest shard: what its flags say", () => {
  const usual = {
    ...{ ...always, in: "m.jsonl", outdir: "shards", "num-shards": 12, strategy: "bytes" },
    ...{ "object-overhead": 1_048_576, "max-objects": undefined, json: false },
  };
  const rows: [string, object][] = [
    ["12", usual],
    ["auto --strategy hash", { ...usual, "num-shards": "auto", strategy: "hash" }],
    ["1000000 --max-objects 5", { ...usual, "num-shards": 1_000_000, "max-objects": 5 }],
    ["12 --object-overhead 0 --json", { ...usual, "object-overhead": 0, json: true }],
    ["12 --object-overhead 1.5MB", { ...usual, "object-overhead": 1_500_000 }],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await optionsGiven(shard, `${needed} ${line}`)).toEqual(options);
  });
});

describe("xfer manifest shard: a wrong value is told", () => {
  const rows: [string, string][] = [
    ["many", '--num-shards: must be auto or a whole number from 1 to 1000000, not "many"'],
    ["AUTO", '--num-shards: must be auto or a whole number from 1 to 1000000, not "AUTO"'],
    ["0", '--num-shards: must be at least 1, not "0"'],
    ["1000001", '--num-shards: must be at most 1000000, not "1000001"'],
    ["2 --strategy best", '--strategy: must be one of bytes, count, hash, not "best"'],
    [
      "2 --object-overhead some",
      '--object-overhead: must be a number of bytes such as 1048576, 1MiB or 1.5GB, not "some"',
    ],
    ["2 --max-objects 0", '--max-objects: must be at least 1, not "0"'],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(shard, `${needed} ${line}`)).toBe(told);
  });
});
