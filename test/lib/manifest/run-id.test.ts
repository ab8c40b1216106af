import { expect, test } from "bun:test";
import { makeRunId } from "../../../lib/manifest/run-id.ts";

test.each([
  ["2026-11-22T08:15:00.000Z", [0xa1, 0xb2, 0xc3], "20261122T081500Z_a1b2c3"],
  ["2026-11-22T08:15:59.999Z", [0, 0, 0], "20261122T081559Z_000000"],
  ["2000-01-01T00:00:00.001Z", [0x0f, 0xff, 0x01, 0x02], "20000101T000000Z_0fff01"],
])("a run that begins at %s with %j", (at, random, id) => {
  expect(makeRunId(new Date(at), Uint8Array.from(random))).toBe(id);
});
