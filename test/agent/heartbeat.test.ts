import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { Heartbeat } from "../../agent/heartbeat.ts";

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

type Parts = ConstructorParameters<typeof Heartbeat>[0];

/** A heartbeat whose parts note what is asked of them; `fails` names the part that throws. */
function heartbeat(state: { held: boolean; fails?: string } = { held: true }) {
  const asked: string[] = [];
  const part = (name: string) => () => {
    asked.push(name);
    if (state.fails === name) throw new Error(`${name}: no space left on device`);
  };
  const parts = {
    journal: { sync: part("sync"), flush: part("flush") },
    log: { flush: part("log") },
    lock: { isHeld: () => state.held },
    writeProgress: part("progress"),
    sample: (_: unknown, isLast: boolean) => part(isLast ? "last sample" : "sample")(),
  } as unknown as Parts;
  return { beat: new Heartbeat(parts), asked, state };
}

const beats = (count: number) => jest.advanceTimersByTime(2_000 * count);

test("the first beat comes at once; every fifth brings the journal onto stable storage", async () => {
  const { beat, asked } = heartbeat();
  await Promise.resolve();
  expect(asked).toEqual(["flush", "log", "progress", "sample"]);
  beats(9);
  expect(asked.filter((name) => name === "sync")).toHaveLength(2);
  expect(asked.filter((name) => name === "flush")).toHaveLength(8);
  expect(asked.filter((name) => name === "progress")).toHaveLength(10);
  expect(beat.signal.aborted).toBe(false);
  expect(() => beat.check()).not.toThrow();
  beat.end();
  expect(asked.filter((name) => name === "progress")).toHaveLength(11);
  expect(asked.filter((name) => name.endsWith("sample")).lastIndexOf("sample")).toBe(9);
  expect(asked.at(-1)).toBe("last sample");
  // It has ended.
  beats(5);
  expect(asked.filter((name) => name === "progress")).toHaveLength(11);
});

test.each(["sync", "flush", "log", "progress"])(
  "where %s fails, the attempt is stopped and says so",
  async (fails) => {
    const { beat, asked } = heartbeat({ held: true, fails });
    await Promise.resolve();
    beats(6);
    expect(beat.signal.aborted).toBe(true);
    expect(beat.signal.reason).toBe("SIGTERM");
    expect(() => beat.check()).toThrow(`the shard's state cannot be kept: ${fails}: no space left on device`);
    expect(asked.filter((name) => name === fails)).toHaveLength(1);
    const before = asked.length;
    beat.end();
    expect(asked).toHaveLength(before);
  },
);

test("a shard that another agent has taken is written to no more", async () => {
  const { beat, asked, state } = heartbeat();
  await Promise.resolve();
  asked.length = 0;
  state.held = false;
  beats(3);
  expect(asked).toEqual([]);
  expect(() => beat.check()).toThrow("another agent has taken the shard over");
  beat.end();
  expect(asked).toEqual([]);
});
