import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Progress } from "../../agent/progress.ts";
import { Throttle } from "../../agent/throttle.ts";
import type { RcloneStats } from "../../lib/rclone/log.ts";
import { readProgress } from "../../lib/run/state/progress.ts";
import { temporaryDirectory } from "../stage/harness.ts";

const head = { shard: 3, sha256: "a".repeat(64), attempt: 2, node: "n1", records: 10, bytes: 1_000 };
const now = new Date("2026-11-22T08:15:00Z");

const stats = (bytes: number, speed: number, errors: number): RcloneStats =>
  ({ bytes, speed, errors }) as RcloneStats;

const unthrottled = new Throttle({ wanted: 32, transfers: 32 });

/** What the file says after the steps. */
function written(steps: (progress: Progress) => void, throttle = unthrottled) {
  using dir = temporaryDirectory();
  const path = join(dir.path, "shard_3.progress");
  const progress = new Progress(path, head);
  steps(progress);
  progress.write(now, throttle);
  expect(readProgress(path).kind).toBe("value");
  expect(readFileSync(path, "utf8").endsWith("}\n")).toBe(true);
  return JSON.parse(readFileSync(path, "utf8"));
}

test("before anything: all is to do, and nobody knows when it ends", () => {
  expect(written(() => {}, new Throttle({ wanted: 32, transfers: 4 }))).toEqual({
    schema: "xfer.progress.v1",
    ...head,
    pass: 0,
    objects_done: 0,
    bytes_done: 0,
    objects_unchanged: 0,
    bytes_unchanged: 0,
    bytes_in_flight: 0,
    bytes_per_second: 0,
    eta_seconds: null,
    errors: 0,
    throttled: 0,
    hindrance: null,
    throttling: { refused: 0, requests: 0, transfers: 4, wanted: 32 },
    transfers: 4,
    plan: "",
    updated_at: "2026-11-22T08:15:00.000Z",
  });
});

test("what rclone has moved beyond the proven objects is in flight, and not left any more", () => {
  const said = written((progress) => {
    progress.startPass(1);
    progress.proven(100, "copied");
    progress.stats(stats(300, 70, 2));
    progress.plan = "because";
  });
  expect(said).toMatchObject({ objects_done: 1, bytes_done: 100, bytes_in_flight: 200, plan: "because" });
  expect(said).toMatchObject({ pass: 1, bytes_per_second: 70, eta_seconds: 10, errors: 2, throttling: null });
});

test("requests that the store refused are told: how many, their share of late, and how many transfers are left", () => {
  const throttle = new Throttle({ wanted: 8, transfers: 8 });
  throttle.begin();
  for (const object of ["a", "b", "c"]) {
    throttle.retried("SlowDown: Please reduce your request rate.", undefined);
    throttle.retried("SlowDown: Please reduce your request rate.", object);
  }
  throttle.retried("read: connection reset by peer", undefined);
  throttle.proven("d", 10);
  expect(written(() => {}, throttle)).toMatchObject({
    throttled: 3,
    throttling: { refused: 3, requests: 4, transfers: 8, wanted: 8 },
    transfers: null,
  });
});

test("an error that is none of the copy is taken back", () => {
  const said = written((progress) => {
    progress.startPass(1);
    progress.stats(stats(0, 0, 3));
    progress.forgive(1);
    progress.startPass(1);
    progress.stats(stats(0, 0, 1));
  });
  expect(said.errors).toBe(3);
});

test("a pass has statistics of its own: what was proven before it is not taken from them", () => {
  const said = written((progress) => {
    progress.startPass(1);
    progress.proven(400, "copied");
    progress.stats(stats(400, 10, 3));
    progress.startPass(2);
    progress.proven(50, "copied");
    progress.stats(stats(80, 10, 1));
  });
  expect(said).toMatchObject({ pass: 2, bytes_done: 450, bytes_in_flight: 30, errors: 4, eta_seconds: 52 });
});

test("a pass that has said nothing yet has no speed", () => {
  const said = written((progress) => {
    progress.startPass(1);
    progress.stats(stats(400, 10, 3));
    progress.startPass(2);
  });
  expect(said).toMatchObject({ bytes_in_flight: 0, bytes_per_second: 0, eta_seconds: null, errors: 3 });
});

test("objects that were found at the destination moved no bytes", () => {
  const said = written((progress) => {
    progress.startPass(1);
    progress.proven(500, "copied");
    progress.stats(stats(0, 0.4, 0));
  });
  expect(said).toMatchObject({ bytes_done: 500, bytes_in_flight: 0, bytes_per_second: 0, eta_seconds: 1250 });
});

test("an end that no speed brings nearer is unknown", () => {
  const said = written((progress) => progress.stats(stats(0, 0, 0)));
  expect(said.eta_seconds).toBeNull();
});

test("the end is never in the past", () => {
  const said = written((progress) => {
    progress.startPass(1);
    progress.proven(900, "copied");
    progress.stats(stats(1_500, 5, 0));
  });
  expect(said.eta_seconds).toBe(0);
});

test("what was proven can be counted anew", () => {
  const said = written((progress) => {
    progress.proven(900, "copied");
    progress.count({ forEachProven: (each) => each(7, "copied") });
  });
  expect(said).toMatchObject({ objects_done: 1, bytes_done: 7 });
});
