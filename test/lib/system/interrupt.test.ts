import { expect, test } from "bun:test";
import {
  breathe,
  sleep,
  stopExitCode,
  stopReason,
  throwIfStopped,
  unlessStopped,
  watchForStop,
} from "../../../lib/system/interrupt.ts";

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 75],
  ["SIGHUP", 75],
  ["parent-gone", 75],
] as const)("a command that is stopped by %s ends with %d", (reason, code) => {
  const stop = AbortSignal.abort(reason);
  expect(stopReason(stop)).toBe(reason);
  expect(stopExitCode(reason)).toBe(code);
  expect(() => throwIfStopped(stop, "go on so")).toThrow(
    expect.objectContaining({ exitCode: code, message: `stopped by ${reason}: go on so` }),
  );
});

test("a command that is not stopped goes on", async () => {
  const { signal } = new AbortController();
  expect(stopReason(signal)).toBeUndefined();
  expect(() => throwIfStopped(signal, "")).not.toThrow();
  await breathe(signal, "");
  await breathe(undefined, "");
  await expect(breathe(AbortSignal.abort("SIGINT"), "x")).rejects.toThrow("stopped by SIGINT: x");
});

test("a signal is an abort while it is watched for", () => {
  const before = process.listenerCount("SIGUSR2");
  const watch = watchForStop(["SIGUSR2"]);
  expect(process.listenerCount("SIGUSR2")).toBe(before + 1);
  process.emit("SIGUSR2", "SIGUSR2");
  expect(stopReason(watch.signal)).toBe("SIGUSR2");
  watch.release();
  expect(process.listenerCount("SIGUSR2")).toBe(before);
  // The first reason stays.
  watch.stop("parent-gone");
  expect(stopReason(watch.signal)).toBe("SIGUSR2");
});

test("what a wait was for is given unless the stop comes first", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  expect(await unlessStopped(Promise.resolve(7), signal, "")).toBe(7);
  expect(await unlessStopped(Promise.resolve(7), undefined, "")).toBe(7);
  await expect(unlessStopped(Promise.reject(new Error("own")), signal, "")).rejects.toThrow("own");
  const never = unlessStopped(new Promise<never>(() => {}), signal, "nothing was written");
  controller.abort("SIGTERM");
  await expect(never).rejects.toThrow("stopped by SIGTERM: nothing was written");
  await expect(unlessStopped(Promise.resolve(7), signal, "x")).rejects.toThrow("stopped by SIGTERM: x");
});

test("a sleep ends with the stop, and at once when that was before", async () => {
  const controller = new AbortController();
  const asleep = sleep(3_600_000, controller.signal);
  controller.abort("SIGTERM");
  await asleep;
  await sleep(3_600_000, controller.signal);
  await sleep(0, new AbortController().signal);
});
