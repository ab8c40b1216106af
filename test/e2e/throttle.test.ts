import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readProgress } from "../../lib/run/state/progress.ts";
import { type Running, Stage, startXfer, timeoutMs, until } from "../stage/harness.ts";

/** Fills the source with small objects of plain names; gives their keys. */
function fillSmall(stage: Stage, count: number): string[] {
  const keys = Array.from({ length: count }, (_, i) => `d${i % 10}/object-${i}`);
  const mtime = new Date("2026-03-04T05:06:07Z");
  for (const key of keys) stage.source.put("data", key, `${key} and some more`, { mtime });
  stage.source.resetCounts();
  return keys;
}

/** A destination that takes four PUTs at a time, and has each of them wait; gives what lifts that. */
function takesFour(stage: Stage, action: "slowdown" | "too-many", delayMs: number): () => void {
  const lift = stage.dest.inject({ kinds: ["PUT"], action, beyond: 4 });
  stage.dest.inject({ kinds: ["PUT"], action: { delayMs } });
  return lift;
}

/** The agent's own notes of throttling in the shard's log: "--transfers 32 -> 4 of 32" as [32, 4]. */
function changesOf(stage: Stage): [number, number][] {
  const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
  return [...log.matchAll(/requests refused \(\d+%\): --transfers (\d+) -> (\d+) of \d+/g)].map(
    ([, from, to]) => [Number(from), Number(to)],
  );
}

function startRun(stage: Stage, ...more: string[]): Running {
  return startXfer(stage.runArgs("--num-shards", "1", "--no-verify", ...more), { cwd: stage.dir });
}

test.each(["slowdown", "too-many"] as const)(
  "a destination that takes four requests at a time and answers %s: few are refused, and it is told",
  async (action) => {
    await using stage = await Stage.start();
    const keys = fillSmall(stage, 400);
    takesFour(stage, action, 40);
    const running = startRun(stage);
    const progress = await until("the throttling to be told", () => {
      const read = readProgress(join(stage.runDir, "state", "shard_0.progress"));
      return read.kind === "value" && read.value.throttling ? read.value : undefined;
    });
    expect(progress.throttled).toBeGreaterThan(0);
    expect(progress.throttling).toMatchObject({ wanted: 32 });
    expect(progress.throttling?.refused).toBeGreaterThan(0);
    const { code, stderr } = await running.result;
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    await stage.expectEqual(keys);
    const last = changesOf(stage).at(-1)?.[1];
    expect(last).toBeGreaterThanOrEqual(2);
    expect(last).toBeLessThanOrEqual(6);
    const refused = stage.dest.counts.errors[action === "slowdown" ? "503" : "429"] ?? 0;
    expect(refused).toBeLessThanOrEqual(100);
    // What was under way when rclone was stopped is read again, and no more than that.
    expect(stage.source.counts.GET).toBeLessThanOrEqual(400 + refused + 100);
    expect(stderr).toMatch(/throttled: [1-9]\d*% of requests refused, transfers \d+ of 32/);
    const state = JSON.parse(readFileSync(join(stage.runDir, "state", "shard_0.attempt"), "utf8"));
    expect(state).toMatchObject({ attempt: 1, spent: 0, outcome: "done" });
  },
  timeoutMs,
);

test(
  "a source that takes four requests at a time: throttling is seen although rclone repeats a GET in silence",
  async () => {
    await using stage = await Stage.start();
    const keys = fillSmall(stage, 600);
    stage.source.inject({ kinds: ["GET"], action: "slowdown", beyond: 4 });
    stage.source.inject({ kinds: ["GET"], action: { delayMs: 40 } });
    const { code, stderr } = await startRun(stage).result;
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    await stage.expectEqual(keys);
    const [from, to] = changesOf(stage)[0] ?? [];
    expect(from).toBe(32);
    expect(to).toBeLessThan(32);
    expect(stderr).toMatch(/throttled: [1-9]\d*% of requests refused, transfers \d+ of 32/);
    const state = JSON.parse(readFileSync(join(stage.runDir, "state", "shard_0.attempt"), "utf8"));
    expect(state).toMatchObject({ attempt: 1, spent: 0, outcome: "done" });
  },
  timeoutMs,
);

test(
  "a store that recovers gets the user's transfers again, and refuses nothing more",
  async () => {
    await using stage = await Stage.start();
    const keys = fillSmall(stage, 1_600);
    const lift = takesFour(stage, "slowdown", 100);
    const running = startRun(stage, "--rclone-flags", "--transfers 10");
    await until("the transfers to be lowered", () => stage.dest.keys("copy").length > 100);
    lift();
    const refused = stage.dest.counts.errors["503"] ?? 0;
    const { code, stderr } = await running.result;
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    await stage.expectEqual(keys);
    const changes = changesOf(stage);
    expect(changes[0]?.[0]).toBe(10);
    expect(changes.at(-1)?.[1]).toBe(10);
    expect(stage.dest.counts.errors["503"]).toBe(refused);
    // The time that bounds a run of rclone is no error of the copy.
    const read = readProgress(join(stage.runDir, "state", "shard_0.progress"));
    expect(read).toMatchObject({ kind: "value", value: { errors: 0, throttled: refused, transfers: null } });
  },
  timeoutMs,
);

test(
  "while the store throttles, an object that is gone takes its chance once, and its neighbours arrive",
  async () => {
    await using stage = await Stage.start();
    const keys = fillSmall(stage, 1_300);
    takesFour(stage, "slowdown", 30);
    stage.source.inject({
      kinds: ["GET"],
      match: ({ key }) => key === "d0/object-0",
      action: "not-found",
    });
    const { code } = await startRun(stage).result;
    expect(code).toBe(1);
    expect(stage.dest.keys("copy").length).toBe(keys.length - 1);
    const fail = JSON.parse(readFileSync(join(stage.runDir, "state", "shard_0.fail"), "utf8"));
    expect(fail).toMatchObject({ class: "missing", failed: 1, attempt: 1 });
    expect(fail.errors).toMatchObject([{ path: "d0/object-0", class: "missing" }]);
  },
  timeoutMs,
);
