import { expect, test } from "bun:test";
import { nextStep, type Situation } from "../../../lib/operate/next-step.ts";
import { etaOf, type Pace } from "../../../lib/operate/pace.ts";
import { type Quiet, quietStep } from "../../../lib/operate/quiet.ts";
import { type RunStatus, statusCode } from "../../../lib/operate/status.ts";

const pace: Pace = {
  ...{ bytesLeft: 1_000, objectsLeft: 100, bytesPerSecond: 10, objectsPerSecond: 10, longest: undefined },
};

test.each<[string, Partial<Pace>, ReturnType<typeof etaOf>]>([
  ["by bytes", {}, { seconds: 100, by: "bytes", shard: null }],
  ["by objects", { objectsPerSecond: 0.5 }, { seconds: 200, by: "objects", shard: null }],
  ["by a shard", { longest: { shard: 7, seconds: 900 } }, { seconds: 900, by: "shard", shard: 7 }],
  ["with objects of no rate", { objectsPerSecond: 0 }, { seconds: 100, by: "bytes", shard: null }],
  ["with nothing moving", { bytesPerSecond: 0, objectsPerSecond: 0 }, null],
  ["of empty objects that do not move", { bytesLeft: 0, objectsPerSecond: 0 }, null],
  ["of nothing left", { bytesLeft: 0, objectsLeft: 0 }, { seconds: 0, by: "bytes", shard: null }],
])("the time that is left, %s", (_, more, expected) => {
  expect(etaOf({ ...pace, ...more })).toEqual(expected);
});

const none = { done: 0, running: 0, waiting: 0, requeue: 0, stopped: 0, failed: 0, stale: 0 };
const situation: Situation = {
  ...{ shards: { ...none, total: 4, done: 2, running: 2 }, isPaused: false, isBegun: true, isHeld: false },
  ...{ isHindered: false, failedClasses: [], untransferable: 0, verified: null, isVerifying: false },
};
const shards = (more: Partial<RunStatus["shards"]>) => ({ ...none, total: 4, ...more });
const allDone = { shards: shards({ done: 4 }) };

test.each<[string, Partial<Situation>, object]>([
  ["all goes on", {}, { kind: "wait" }],
  ["all is done", allDone, { kind: "verify" }],
  ["all is verified", { ...allDone, verified: true }, { kind: "nothing" }],
  ["the destination differs", { ...allDone, verified: false }, { kind: "differs" }],
  ["a comparison is queued", { ...allDone, isVerifying: true }, { kind: "wait-for-verification" }],
  [
    "something cannot be carried",
    { ...allDone, untransferable: 1, verified: true },
    { kind: "untransferable" },
  ],
  ["it is paused", { isPaused: true, shards: shards({ failed: 1, stopped: 3 }) }, { kind: "resume" }],
  [
    "a shard failed, others run",
    { shards: shards({ failed: 1, running: 3 }), failedClasses: ["auth"] },
    { kind: "mend", classes: ["auth"], others: true },
  ],
  [
    "a shard failed, others are done",
    { shards: shards({ failed: 1, done: 3 }), failedClasses: ["auth"] },
    { kind: "mend", classes: ["auth"], others: false },
  ],
  ["nothing was begun", { isBegun: false, shards: shards({ waiting: 4 }) }, { kind: "submit" }],
  ["tasks are held", { isHeld: true, shards: shards({ waiting: 4 }) }, { kind: "release" }],
  ["all stopped", { shards: shards({ stopped: 2, done: 2 }) }, { kind: "start-again" }],
  ["some stopped, others run", { shards: shards({ stopped: 2, running: 2 }) }, { kind: "wait" }],
  ["an agent is silent", { shards: shards({ stale: 1, running: 3 }) }, { kind: "look-at-nodes" }],
  ["a store is down", { isHindered: true }, { kind: "look-at-store" }],
])("what to do when %s", (_, more, expected) => {
  expect(nextStep({ ...situation, ...more })).toEqual(expected as ReturnType<typeof nextStep>);
});

const job = [{ job_id: "1" }] as RunStatus["jobs"];
const quiet: Quiet = { sinceMs: 0, answers: 3 };
type Seen = Parameters<typeof quietStep>[1];
const seen = (counts: Partial<RunStatus["shards"]>, more: Partial<Seen> = {}): Seen => ({
  ...{ shards: shards(counts), paused: null, jobs: job, slurm: true, ...more },
});
const paused = { at: "", by: "" };

test.each<[string, Quiet | undefined, Seen, { ms: number; answers: number }, boolean]>([
  ["all done", undefined, seen({ done: 4 }), { ms: 0, answers: 0 }, true],
  ["done or failed for good", undefined, seen({ done: 3, failed: 1 }), { ms: 0, answers: 0 }, true],
  ["failed, and another runs", quiet, seen({ failed: 3, running: 1 }), { ms: 9e9, answers: 9 }, false],
  ["one waits in Slurm", quiet, seen({ done: 3, waiting: 1 }), { ms: 9e9, answers: 9 }, false],
  ["one is silent in Slurm", quiet, seen({ done: 3, stale: 1 }), { ms: 9e9, answers: 9 }, false],
  ["gone from the queue, once", undefined, seen({ stopped: 4 }), { ms: 9e9, answers: 4 }, false],
  ["gone, by the same answer", quiet, seen({ stopped: 4 }), { ms: 9e9, answers: 3 }, false],
  ["gone, twice", quiet, seen({ stopped: 4 }), { ms: 1, answers: 4 }, true],
  [
    "stopped, and Slurm is silent",
    quiet,
    seen({ stopped: 4 }, { slurm: false }),
    { ms: 9e9, answers: 9 },
    false,
  ],
  ["paused", quiet, seen({ stopped: 4 }, { paused }), { ms: 9e9, answers: 9 }, false],
  [
    "no job, still for a minute",
    quiet,
    seen({ waiting: 4 }, { jobs: [] }),
    { ms: 60_000, answers: 0 },
    false,
  ],
  ["no job, still for two", quiet, seen({ stale: 1 }, { jobs: [] }), { ms: 120_000, answers: 0 }, true],
  ["no job, one runs", quiet, seen({ running: 1 }, { jobs: [] }), { ms: 9e9, answers: 0 }, false],
])("a run has ended: %s", (_, before, status, now, hasEnded) => {
  expect(quietStep(before, status, now).hasEnded).toBe(hasEnded);
});

test.each<[Partial<RunStatus["shards"]>, number, boolean, number]>([
  [{ done: 4 }, 0, false, 0],
  [{ done: 4 }, 1, false, 1],
  [{ done: 4 }, 1, true, 0],
  [{ done: 3, running: 1 }, 0, false, 75],
  [{ done: 2, failed: 1, running: 1 }, 0, false, 1],
  [{ stopped: 4 }, 0, false, 75],
])("the exit code of %p with %d untransferable (allowed: %p)", (counts, objects, allowed, code) => {
  const status = { shards: shards(counts), untransferable: { objects, bytes: 0 } };
  expect<number>(statusCode(status, allowed)).toBe(code);
});
