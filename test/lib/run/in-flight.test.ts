import { expect, test } from "bun:test";
import { accountOf } from "../../../lib/run/account.ts";
import { progressOf } from "../../../lib/run/snapshot.ts";
import type { ProgressState } from "../../../lib/run/state/progress.ts";
import { RateWindow } from "../../../lib/system/rate.ts";

const sha256 = "a".repeat(64);
const meta = {
  num_shards: 1,
  num_records: 10,
  bytes_total: 100,
  shards: [{ records: 10, bytes: 100, sha256 }],
};
const none = { kind: "none" } as const;

test("bytes on their way count for rate and time, and nothing counts them as copied", () => {
  const value = {
    ...{ sha256, objects_done: 3, bytes_done: 30, objects_unchanged: 1, bytes_unchanged: 10 },
    ...{ bytes_in_flight: 20, throttling: null, hindrance: null },
  } as ProgressState;
  const files = [{ done: none, fail: none, progress: { kind: "value" as const, value } }];
  const rate = new RateWindow();
  rate.add(Date.now() - 5_000, 0);
  const account = accountOf(meta, files, { objects: 0, bytes: 0 });
  const progress = progressOf({ account, files }, rate);
  expect(progress).toMatchObject({
    bytesInFlight: 20,
    account: { copied: { bytes: 20 }, unchanged: { bytes: 10 }, unfinished: { bytes: 70 } },
  });
  expect(progress.etaSeconds).toBeCloseTo((100 - 50) / progress.bytesPerSecond);
});
