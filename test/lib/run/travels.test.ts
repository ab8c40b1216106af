import { expect, test } from "bun:test";
import { travels } from "../../../lib/run/travels.ts";

test.each([
  ["manifest.jsonl", true, true],
  ["shards/shard_000001.jsonl", true, true],
  ["config.resolved.json", true, true],
  ["state/shard_1.done", false, true],
  ["state/shard_1.samples", false, true],
  ["events.jsonl", false, true],
  ["verify.json", false, true],
  ["report.html", false, true],
  ["report.exe", false, false],
  ["logs/report.html", false, false],
  ["state/shard_1.lock", false, false],
  ["state/control", false, false],
  ["bin/xfer", false, false],
])("%s goes to a cluster: %p, and back: %p", (path, there, back) => {
  expect([travels(path, "stage"), travels(path, "pull")]).toEqual([there, back]);
});
