import { expect, test } from "bun:test";
import { runProgram } from "../../../lib/system/process.ts";
import { afterRunning, RunningTime, sleepRunning } from "../../../lib/system/running-time.ts";

test("of what has gone by one interval counts at most, and a clock that is set back counts nothing", () => {
  const time = new RunningTime(1_000, 50);
  expect([1_010, 1_060, 9_999, 10_000, 500, 510].map((now) => time.since(now))).toEqual([
    10, 50, 50, 1, 0, 10,
  ]);
});

test("a call comes once, and not when it was called off; a wait ends with its signal", async () => {
  let calls = 0;
  const callOff = afterRunning(30, () => calls++);
  const never = afterRunning(30, () => {
    calls += 100;
  });
  never();
  await sleepRunning(400, new AbortController().signal);
  expect(calls).toBe(1);
  callOff();
  const stop = new AbortController();
  const before = performance.now();
  setTimeout(() => stop.abort(), 20);
  await sleepRunning(60_000, stop.signal);
  expect(performance.now() - before).toBeLessThan(30_000);
});

test("a program that takes longer than it may is killed", async () => {
  expect(await runProgram(["sleep", "60"], { timeoutMs: 100 })).toMatchObject({ code: 137 });
});
