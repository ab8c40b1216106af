import { expect, test } from "bun:test";
import { accountText, failedText, progressLine } from "../../../cmd/view/account.ts";
import { fitParts } from "../../../cmd/view/live-line.ts";
import type { Account } from "../../../lib/run/account.ts";

const amount = (objects: number, bytes = 0) => ({ objects, bytes });
const account: Account = {
  schema: "xfer.account.v1",
  shards: { total: 16, done: 16, failed: 0, unfinished: 0 },
  ...{ listed: amount(1_500, 2_048), copied: amount(1_500, 2_048), unchanged: amount(0), failed: amount(0) },
  ...{ unfinished: amount(0), untransferable: amount(0), errors: [], warnings: [] },
};

test("a run that is whole: listed, copied and failed alone", () => {
  expect(accountText(account, "run")).toBe(`listed               1,500 objects      2.0 KiB
copied               1,500 objects      2.0 KiB
failed                   0 objects          0 B
run directory: run
`);
});

test("one that is not: every line that counts something, and each reason once, below what failed", () => {
  const more: Partial<Account> = {
    shards: { total: 16, done: 12, failed: 3, unfinished: 1 },
    ...{ copied: amount(1_000), unchanged: amount(200), failed: amount(250), unfinished: amount(40) },
    ...{ untransferable: amount(10), warnings: ["shard_2.done: is torn"] },
    errors: [{ shard: 3, path: "a", class: "auth", message: "AccessDenied" }],
  };
  const cause = {
    ...{ class: "auth" as const, message: "AccessDenied", num_shards: 3, first_shard: 3 },
    ...{ objects: 250, bytes: 0, at_least: false, first_path: "a" },
  };
  expect(
    accountText({ ...account, ...more }, "run", [cause]),
  ).toBe(`listed               1,500 objects      2.0 KiB
copied               1,000 objects          0 B
unchanged              200 objects          0 B
failed                 250 objects          0 B
  3 shards: auth: AccessDenied (250 objects, the first: a)
    to mend it: see that the credentials in rclone.conf are valid and may read the source and write to the destination
  see run/state/*.fail; once it is mended, run the same command again
unfinished              40 objects          0 B
untransferable          10 objects          0 B
  named in run/manifest.untransferable.jsonl
warning: shard_2.done: is torn
run directory: run
`);
});

test.each([
  [0, 0, undefined],
  [1, 7, "1 of 16 shards failed: 7 objects not proven"],
  [16, 0, "16 of 16 shards failed"],
])("%p shards that failed, %p objects", (shards, objects, text) =>
  expect(failedText({ ...account, failed: amount(objects) }, shards)).toBe(text),
);

test("the live line says of what classes the failures are", () => {
  const failed = { shard: 0, path: "a", message: "AccessDenied" };
  const errors = [
    { ...failed, class: "auth" },
    { ...failed, class: "auth" },
    { ...failed, class: "missing" },
  ];
  const of = { ...account, shards: { total: 16, done: 1, failed: 3, unfinished: 12 }, errors };
  const progress = {
    bytesInFlight: 0,
    bytesPerSecond: 0,
    etaSeconds: null,
    hindrance: undefined,
    throttling: null,
  };
  const line = fitParts(progressLine({ account: of, ...progress }, 0).parts, 200);
  expect(line).toEndWith("shards 1/16 done, 3 failed (auth, missing)");
});
