import { expect, test } from "bun:test";
import { CopyTime } from "../../agent/copy-time.ts";

/** Notes statistics every 2 s, and gives after how many seconds the attempt has had its chance. */
function chance(
  stats: (second: number) => { inFlight: string[]; bytes: number },
  gapAt = -1,
): number | undefined {
  let now = 1000;
  const time = new CopyTime(now);
  for (let second = 2; second <= 300; second += 2) {
    now += second === gapAt ? 3_600_000 : 2_000;
    if (time.note(stats(second), now)) return second;
  }
  return undefined;
}

test("an attempt has had its chance once objects were under way for a minute in which it ran", () => {
  expect(chance(() => ({ inFlight: ["a"], bytes: 0 }))).toBe(60);
  expect(chance(() => ({ inFlight: [], bytes: 7 }))).toBe(60);
  expect(chance(() => ({ inFlight: [], bytes: 0 }))).toBeUndefined();
  // The look-ups come first.
  expect(chance((second) => ({ inFlight: second > 100 ? ["a"] : [], bytes: 0 }))).toBe(160);
  // Suspended for an hour: that counts as one interval, of 5 s.
  expect(chance(() => ({ inFlight: ["a"], bytes: 0 }), 10)).toBe(58);
});
