import { expect, test } from "bun:test";
import { throttlingOf } from "../../../cmd/status/throttling.ts";
import { type Throttling, throttlingText } from "../../../cmd/view/throttling.ts";

type Input = Parameters<typeof throttlingOf>[0];

const given = (more: Partial<Input>): Input => ({
  ...{ watch: false, "auto-throttle": false, min: undefined, max: undefined },
  ...more,
});

test.each<[Partial<Input>, ReturnType<typeof throttlingOf>]>([
  [{}, undefined],
  [{ watch: true }, undefined],
  [
    { watch: true, "auto-throttle": true },
    { min: 1, max: undefined },
  ],
  [
    { watch: true, "auto-throttle": true, min: 4, max: 64 },
    { min: 4, max: 64 },
  ],
])("%p", (input, bounds) => {
  expect(throttlingOf(given(input))).toEqual(bounds);
});

test.each<[Partial<Input>, string]>([
  [{ "auto-throttle": true }, "--auto-throttle is for --watch"],
  [{ watch: true, min: 2 }, "--min is for --auto-throttle"],
  [{ max: 2 }, "--max is for --auto-throttle"],
  [{ watch: true, "auto-throttle": true, min: 9, max: 8 }, "--min 9 is more than --max 8"],
])("%p is refused", (input, message) => {
  expect(() => throttlingOf(given(input))).toThrow(message);
});

const bounds = { min: 2, max: 8 };
const change = { limit: 5, reason: "nothing was refused", at: new Date("2026-05-04T10:20:30Z") };
const process = { pid: 7, started_at: null };

test.each<[Throttling, string]>([
  [{ kind: "beginning" }, "by itself: beginning"],
  [{ kind: "on", bounds, change: undefined, problem: undefined }, "by itself, 2 to 8 tasks at a time"],
  [
    { kind: "on", bounds, change, problem: undefined },
    "by itself, 2 to 8 tasks at a time; 5 since 10:20 UTC: nothing was refused",
  ],
  [
    { kind: "on", bounds, change, problem: "job 12: Slurm is away" },
    "by itself, 2 to 8 tasks at a time; 5 since 10:20 UTC: nothing was refused; the limit stays: job 12: Slurm is away",
  ],
  [
    { kind: "held", by: { by: "ada@login\x1b[2J", process, taken_at: "2026-05-04T10:00:00Z" } as never },
    "not by this one: ada@login\\x1b[2J (pid 7) does it since 2026-05-04T10:00:00Z",
  ],
  [{ kind: "ended" }, "by itself: nothing of the run is in the queue any more"],
  [{ kind: "lost" }, "not by this one any more: another process has taken it over"],
  [{ kind: "failed", problem: "no config.json" }, "not: no config.json"],
])("%p", (state, text) => {
  expect(throttlingText(state)).toBe(text);
});
