import { describe, expect, test } from "bun:test";
import { outdatedBy, proofOf, verdictOf } from "../../../../lib/operate/report/proof.ts";
import type { Verification } from "../../../../lib/verify/verification.ts";
import { madeRoots, minuteAt } from "./made-run.ts";

const sha = "a".repeat(64);

const verificationOf = (more: Partial<Verification> = {}): Verification => ({
  ...{ schema: "xfer.verify.v1", checksum: "auto", dest_root: madeRoots.dest_root },
  ...{ listed: { objects: 10, bytes: 100 }, hash_proven: 6, size_only: 4, missing: 0, differs: 0 },
  ...{ sampled: 0, sampled_differs: 0, extra: 0, untransferable: { objects: 0, bytes: 0 } },
  ...{ metadata_compared: false, verified: true, failures: [], manifest_sha256: sha },
  ...{ verified_at: minuteAt(10), xfer_version: "1", rclone_version: null },
  ...more,
});

const run = { manifest_sha256: sha, dest_root: madeRoots.dest_root, lastSignMs: Date.parse(minuteAt(9)) };

test.each<[string, Partial<Verification>, Partial<typeof run> | { manifest_sha256: null }, string | null]>([
  ["all as it is", {}, {}, null],
  ["at the same moment", {}, { lastSignMs: Date.parse(minuteAt(10)) }, null],
  ["a shard worked later", {}, { lastSignMs: Date.parse(minuteAt(11)) }, "shards were at work after it"],
  ["a time that is none", { verified_at: "soon" }, {}, "shards were at work after it"],
  ["another manifest", { manifest_sha256: "b" }, {}, "it is of another manifest"],
  ["no manifest", {}, { manifest_sha256: null }, "there is no manifest to hold it against"],
  ["another destination", { dest_root: "x:y" }, {}, "it is of the destination x:y"],
])("a verification counts or not: %s", (_, found, present, why) => {
  expect(outdatedBy(verificationOf(found), { ...run, ...present })).toBe(why);
});

const amount = (objects: number) => ({ objects, bytes: objects * 10 });
const account = (copied: number, unchanged: number, untransferable = 0) => ({
  ...{ listed: amount(10 + untransferable), copied: amount(copied), unchanged: amount(unchanged) },
  untransferable: amount(untransferable),
});

describe("how objects are proven", () => {
  const cases: [string, ReturnType<typeof account>, Verification | undefined, string | null, number[]][] = [
    ["no verification", account(7, 2), undefined, null, [0, 0, 9, 1]],
    ["one that is out of date", account(7, 2), verificationOf(), "it is of another manifest", [0, 0, 9, 1]],
    ["one that counts", account(7, 2), verificationOf(), null, [6, 4, 0, 0]],
    ["with what cannot be carried", account(10, 0, 3), verificationOf(), null, [6, 4, 0, 3]],
    [
      "hashes are required",
      account(10, 0),
      verificationOf({ checksum: "require", verified: false }),
      null,
      [6, 0, 0, 4],
    ],
    ["some are missing", account(10, 0), verificationOf({ size_only: 1, missing: 3 }), null, [6, 1, 0, 3]],
  ];
  test.each(cases)("%s", (_, counted, found, outdated, [hash, size, word, none]) => {
    expect(proofOf(counted, found, outdated)).toMatchObject({
      ...{ hash_proven: hash, size_only: size, by_rclone: word, not_proven: none },
    });
  });
});

test.each<[string, number[], number, Verification | undefined, string | null, string]>([
  ["all done", [2, 0, 0], 0, undefined, null, "proven"],
  ["all done and verified", [2, 0, 0], 0, verificationOf(), null, "proven"],
  ["one has failed", [1, 1, 0], 0, undefined, null, "not-proven"],
  ["one has not ended, and one has failed", [0, 1, 1], 0, undefined, null, "unfinished"],
  ["something cannot be carried", [2, 0, 0], 1, undefined, null, "not-proven"],
  ["refuted", [2, 0, 0], 0, verificationOf({ verified: false }), null, "not-proven"],
  ["refuted long ago", [2, 0, 0], 0, verificationOf({ verified: false }), "old", "proven"],
])("%s", (_, [done = 0, failed = 0, unfinished = 0], untransferable, found, outdated, verdict) => {
  const shards = { total: done + failed + unfinished, done, failed, unfinished };
  const proof = proofOf(account(10, 0, untransferable), found, outdated);
  expect(verdictOf({ shards, untransferable: amount(untransferable) }, proof)).toBe(verdict as "proven");
});
