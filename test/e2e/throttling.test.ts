import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { differentKeys, Stage, state, timeoutMs } from "./harness.ts";

/** How a store throttles that serves four uploads at a time, each in its time, and refuses all others. */
function serveFour(stage: Stage): () => void {
  const rules = [
    stage.dest.inject({ kinds: ["PUT"], action: "slowdown", beyond: 4 }),
    stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 50 } }),
  ];
  return () => {
    for (const end of rules) end();
  };
}

const refusedPuts = (stage: Stage): number => stage.dest.counts.errors["503"] ?? 0;
const logOf = (stage: Stage): string =>
  readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");

test(
  "a store that takes four at a time: told within the pass, few requests are wasted, and the user reads the share",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(600, 2_000);
    serveFour(stage);
    const run = await stage.xfer(...stage.runArgs("--num-shards", "1"));
    expect(run.stderr).not.toContain("error");
    expect(run.code).toBe(0);
    expect(await differentKeys(stage.source, stage.dest, keys)).toEqual([]);
    expect(refusedPuts(stage)).toBeGreaterThan(3);
    // What is refused is read anew: both are wasted.
    expect(refusedPuts(stage)).toBeLessThan(0.25 * keys.length);
    expect(stage.source.counts.GET).toBeLessThan(1.3 * keys.length);
    expect(logOf(stage)).toMatch(
      /throttled: \d+ of \d+ requests refused \(\d+%\): --transfers 32 -> \d+ of 32/,
    );
    expect(logOf(stage)).toMatch(/throttled: in all \d+ of \d+ requests refused/);
    expect(run.stderr).toMatch(/throttled: \d+% of requests refused, transfers \d+ of 32/);
    expect(state(stage.runDir, 0, "done")).toMatchObject({ copied: keys.length, attempt: 1 });
    expect(state(stage.runDir, 0, "progress")?.throttled).toBeGreaterThan(3);
  },
  timeoutMs,
);

test(
  "a store that has recovered is used again with the user's own transfers",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(3_000, 100);
    const recover = serveFour(stage);
    // Slow enough that there is something left to do when all transfers are back.
    stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 150 } });
    const watch = setInterval(() => {
      if (stage.dest.keys("copy").length > 150) recover();
    }, 50);
    const run = await stage.xfer(
      ...stage.runArgs("--num-shards", "1", "--rclone-flags", "--transfers 12 --retries 3"),
    );
    clearInterval(watch);
    expect(run.code).toBe(0);
    expect(await differentKeys(stage.source, stage.dest, keys)).toEqual([]);
    expect(logOf(stage)).toMatch(/--transfers 12 -> \d+ of 12/);
    expect(logOf(stage)).toMatch(/--transfers \d+ -> 12 of 12/);
    expect(state(stage.runDir, 0, "attempt")?.attempt).toBe(1);
  },
  timeoutMs,
);
