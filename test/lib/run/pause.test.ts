import { expect, jest, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { runLayout } from "../../../lib/run/layout.ts";
import { pauseOf, requireUnpaused, watchForPause } from "../../../lib/run/pause.ts";
import { writeControl } from "../../../lib/run/state/control.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const control = (wanted: "run" | "pause") =>
  ({ schema: "xfer.control.v1", wanted, at: "2026-11-25T08:00:00Z", by: "ann@login" }) as const;

test.each<[string, string | undefined]>([
  ["not there", undefined],
  ["empty", ""],
  ["torn", '{"schema":"xfer.control.v1","wan'],
  ["of another schema", JSON.stringify({ ...control("pause"), schema: "xfer.control.v9" })],
  ["of an unknown wish", JSON.stringify({ ...control("pause"), wanted: "fly" })],
  ["for a run", JSON.stringify(control("run"))],
])("a control that is %s pauses nothing", (_, text) => {
  using dir = temporaryDirectory();
  const run = runLayout(dir.path);
  mkdirSync(run.stateDir);
  if (text !== undefined) writeFileSync(run.control, text);
  expect(pauseOf(run)).toBeUndefined();
  expect(() => requireUnpaused(run)).not.toThrow();
});

test("a control that is a folder pauses nothing", () => {
  using dir = temporaryDirectory();
  const run = runLayout(dir.path);
  mkdirSync(run.control, { recursive: true });
  expect(pauseOf(run)).toBeUndefined();
});

test("a pause is heard at once, or at the next look, and once", () => {
  using dir = temporaryDirectory();
  const run = runLayout(dir.path);
  mkdirSync(run.stateDir);
  jest.useFakeTimers();
  try {
    let heard = 0;
    const watch = watchForPause(run, () => heard++);
    jest.advanceTimersByTime(10_000);
    expect(heard).toBe(0);
    writeControl(run.control, control("pause"));
    jest.advanceTimersByTime(2_000);
    expect(heard).toBe(1);
    jest.advanceTimersByTime(10_000);
    watch[Symbol.dispose]();
    watchForPause(run, () => heard++);
    expect(heard).toBe(2);
    writeControl(run.control, control("run"));
    using _ = watchForPause(run, () => heard++);
    jest.advanceTimersByTime(10_000);
    expect(heard).toBe(2);
  } finally {
    jest.useRealTimers();
  }
  expect(() => requireUnpaused(run)).not.toThrow();
  writeControl(run.control, control("pause"));
  expect(() => requireUnpaused(run)).toThrow(
    "is paused since 2026-11-25T08:00:00Z by ann@login: go on with xfer resume",
  );
});
