import { expect, test } from "bun:test";
import { isStillGood } from "../../../lib/verify/after-run.ts";

const found = {
  verified: true,
  checksum: "auto" as const,
  manifest_sha256: "a",
  dest_root: "dst:copy",
  verified_at: "2026-01-02T00:00:00.000Z",
};
const now = { manifest_sha256: "a", dest_root: "dst:copy", lastDoneAt: "2026-01-01T00:00:00.000Z" };

test("a verification speaks for the run that it was of, as long as nothing was copied since", () => {
  expect(isStillGood(found, now)).toBe(true);
  expect(isStillGood({ ...found, checksum: "require" }, now)).toBe(true);
  expect(isStillGood(found, { ...now, lastDoneAt: found.verified_at })).toBe(true);
});

test.each([
  ["not verified", { verified: false }],
  ["sizes alone", { checksum: "off" as const }],
  ["another manifest", { manifest_sha256: "b" }],
  ["another destination", { dest_root: "dst:other" }],
  ["before the last shard was done", { verified_at: "2025-12-31T23:59:59.999Z" }],
])("%s: it does not", (_, other) => {
  expect(isStillGood({ ...found, ...other }, now)).toBe(false);
});
