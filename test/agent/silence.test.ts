import { describe, expect, test } from "bun:test";
import { type Hang, SilenceWatch } from "../../agent/silence.ts";

const limits = { unheardMs: 1000, silentMs: 60, idleMs: 100, stuckMs: 500 };
const tickMs = 10;

type Step = "line" | "foreign line" | { done: number; inFlight?: string[] } | undefined;

/** Takes one step in each interval, on a clock of its own, and gives when a hang was found and which. */
function watch(step: (interval: number) => Step, intervals: number, gap = (_: number) => tickMs) {
  let now = 5_000;
  const watched = new SilenceWatch(limits, now, tickMs);
  for (let interval = 1; interval <= intervals; interval++) {
    const what = step(interval);
    if (what === "line" || what === "foreign line") watched.line(what === "line");
    else if (what) watched.stats({ inFlight: [], ...what });
    now += gap(interval);
    const hang = watched.tick(now);
    if (hang) return { hang, interval };
  }
  return undefined;
}

describe("an rclone that hangs", () => {
  const rows: [string, (interval: number) => Step, { hang: Hang; interval: number } | undefined][] = [
    ["no word at all", () => undefined, { hang: "silent", interval: 100 }],
    [
      "only words of its container",
      (i) => (i === 50 ? "foreign line" : undefined),
      { hang: "silent", interval: 149 },
    ],
    ["a word, and no other", (i) => (i === 1 ? "line" : undefined), { hang: "silent", interval: 6 }],
    ["statistics that change", (i) => ({ done: i }), undefined],
    ["statistics that stay the same", () => ({ done: 7 }), { hang: "idle", interval: 10 }],
    ["the same, with other lines between them", (i) => (i % 5 === 0 ? "line" : { done: 7 }), undefined],
    [
      "something under way, of which nothing comes",
      () => ({ done: 7, inFlight: ["a"] }),
      { hang: "stuck", interval: 50 },
    ],
    ["something under way that moves", (i) => ({ done: Math.floor(i / 9), inFlight: ["a"] }), undefined],
    [
      "something under way now and then",
      (i) => ({ done: 7, inFlight: i % 9 === 0 ? ["a"] : [] }),
      { hang: "stuck", interval: 50 },
    ],
  ];
  for (const [what, step, found] of rows) {
    test(what, () => expect(watch(step, 300)).toEqual(found as { hang: Hang; interval: number }));
  }
});

test("time in which the agent was suspended counts as one interval, however long it was", () => {
  const suspended = (interval: number) => (interval === 3 ? 3_600_000 : tickMs);
  // Statistics come every fifth interval.
  const step = (interval: number): Step => (interval % 5 === 1 ? { done: interval } : undefined);
  expect(watch(step, 200, suspended)).toBeUndefined();
  expect(watch(() => ({ done: 7 }), 200, suspended)).toEqual({ hang: "idle", interval: 10 });
});
