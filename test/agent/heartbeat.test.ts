import { expect, test } from "bun:test";
import { Heartbeat } from "../../agent/heartbeat.ts";

type Parts = ConstructorParameters<typeof Heartbeat>[0];

/** A heartbeat over stand-ins that note what it does; `fails` makes one of them refuse. */
function heartbeat(fails?: "lock" | "journal" | "log" | "progress") {
  const done: string[] = [];
  const act = (name: string) => () => {
    if (fails === name) throw new Error(`${name}: no space left on device`);
    done.push(name);
  };
  const parts = {
    journal: { flush: act("journal"), sync: act("journal") },
    log: { flush: act("log") },
    lock: { isHeld: () => fails !== "lock" },
    writeProgress: act("progress"),
  } as unknown as Parts;
  return { done, heartbeat: new Heartbeat(parts) };
}

test("it beats at once, and once more at its end", () => {
  const { done, heartbeat: beating } = heartbeat();
  expect(done).toEqual(["journal", "log", "progress"]);
  beating.end();
  expect(done).toHaveLength(6);
  expect(beating.signal.aborted).toBe(false);
  expect(() => beating.check()).not.toThrow();
});

test.each([
  ["lock", "another agent has taken the shard over"],
  ["journal", "journal: no space left on device"],
  ["log", "log: no space left on device"],
  ["progress", "progress: no space left on device"],
] as const)("state that cannot be kept stops the attempt: %s", (fails, why) => {
  const { done, heartbeat: beating } = heartbeat(fails);
  const before = [...done];
  expect(beating.signal.aborted).toBe(true);
  expect(() => beating.check()).toThrow(`the shard's state cannot be kept: ${why}`);
  beating.end();
  // A stopped heart writes nothing more: the state may be another agent's.
  expect(done).toEqual(before);
});
