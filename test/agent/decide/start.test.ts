import { describe, expect, test } from "bun:test";
import { decideAfterPass, isFinalFailure } from "../../../agent/decide/after-pass.ts";
import { avoidableNodes } from "../../../agent/decide/nodes.ts";
import { decideStart, type StartCounters } from "../../../agent/decide/start.ts";
import { lowerTransfers, throttleWaitSeconds } from "../../../agent/decide/throttle.ts";
import type { FailureClass } from "../../../lib/rclone/failure-class.ts";
import type { AttemptState, PastSubmissions } from "../../../lib/run/state/attempt.ts";
import type { StateFile } from "../../../lib/run/state/state-file.ts";

function before(outcome: AttemptState["outcome"], more: Partial<AttemptState> = {}): StateFile<AttemptState> {
  return {
    kind: "value",
    value: {
      schema: "xfer.attempt.v1",
      shard: 0,
      sha256: "0".repeat(64),
      attempt: 4,
      submission: "slurm:7",
      spent: 1,
      walltime_stops: 0,
      preemptions: 0,
      lost_starts: 0,
      other_stops: 0,
      early_stops: 0,
      bad_nodes: [],
      transfers: null,
      outcome,
      stopped_by: null,
      proven_at_start: 10,
      got_to_copy: true,
      node: "n1",
      host: "h",
      boot: null,
      pid_namespace: null,
      agent: { pid: 1, start: "1" },
      child: null,
      started_at: "2026-01-01T00:00:00.000Z",
      ...more,
    },
  };
}

/** What the submissions before took: one of nothing, unless it says more. */
const past = (more: Partial<PastSubmissions>): PastSubmissions => ({
  submissions: 1,
  attempts: 0,
  walltime_stops: 0,
  preemptions: 0,
  lost_starts: 0,
  other_stops: 0,
  ...more,
});

const none: StartCounters = {
  spent: 0,
  walltime_stops: 0,
  preemptions: 0,
  lost_starts: 0,
  other_stops: 0,
  early_stops: 0,
  bad_nodes: [],
  transfers: null,
};

describe("how a shard starts", () => {
  const now = { submission: "slurm:7", maxAttempts: 3, maxRestarts: 5, proven: 10, finalFail: false };
  const start = (attempt: number, counters: Partial<StartCounters>) =>
    ({ kind: "start", attempt, counters: { ...none, ...counters } }) as const;
  const rows: [string, StateFile<AttemptState>, Partial<typeof now>, ReturnType<typeof decideStart>][] = [
    ["nothing before", { kind: "none" }, {}, start(1, {})],
    [
      "paused, with nothing proven, after many stops",
      before("stopped", { stopped_by: "pause", walltime_stops: 50, early_stops: 10 }),
      {},
      start(5, { spent: 1, walltime_stops: 50, early_stops: 10 }),
    ],
    ["unreadable", { kind: "unreadable", reason: "torn" }, {}, start(1, {})],
    [
      "another submission",
      before("failed", { lost_starts: 2 }),
      { submission: "slurm:8" },
      start(5, { past: past({ attempts: 2, lost_starts: 2 }) }),
    ],
    [
      "another submission after one that was stopped, and one before that",
      before("stopped", { stopped_by: "walltime", past: past({ submissions: 3, attempts: 9 }) }),
      { submission: "slurm:8" },
      start(5, { past: past({ submissions: 4, attempts: 10, walltime_stops: 1 }) }),
    ],
    [
      "another submission after a start without an outcome",
      before("running", { spent: 0 }),
      { submission: "slurm:8" },
      start(5, { past: past({ attempts: 0, lost_starts: 1 }) }),
    ],
    [
      "the same submission, and one before it",
      before("failed", { past: past({ attempts: 7 }) }),
      {},
      start(5, { spent: 2, past: past({ attempts: 7 }) }),
    ],
    [
      "another submission after a final failure",
      before("failed"),
      { submission: "slurm:8", finalFail: true },
      start(5, { past: past({ attempts: 2 }) }),
    ],
    ["failed", before("failed"), {}, start(5, { spent: 2 })],
    ["failed for good", before("failed"), { finalFail: true }, { kind: "failed-already", attempt: 4 }],
    [
      "failed, budget spent",
      before("failed", { spent: 2 }),
      {},
      { kind: "budget-spent", attempt: 4, spent: 3 },
    ],
    ["throttled", before("failed", { transfers: 8 }), {}, start(5, { spent: 2, transfers: 8 })],
    [
      "time limit, with progress",
      before("stopped", { stopped_by: "walltime" }),
      { proven: 11 },
      start(5, { spent: 1, walltime_stops: 1 }),
    ],
    [
      "time limit, no progress",
      before("stopped", { stopped_by: "walltime" }),
      {},
      start(5, { spent: 2, walltime_stops: 1 }),
    ],
    [
      "preempted",
      before("stopped", { stopped_by: "preemption" }),
      { proven: 11 },
      start(5, { spent: 1, preemptions: 1 }),
    ],
    ["stopped otherwise", before("stopped"), { proven: 11 }, start(5, { spent: 1, other_stops: 1 })],
    ["killed with progress", before("running"), { proven: 11 }, start(5, { spent: 1, lost_starts: 1 })],
    [
      "killed without, budget spent",
      before("running", { spent: 2 }),
      {},
      { kind: "budget-spent", attempt: 4, spent: 3 },
    ],
    [
      "too many restarts",
      before("stopped", { stopped_by: "walltime", walltime_stops: 3, lost_starts: 2 }),
      { proven: 11 },
      start(5, { spent: 2, walltime_stops: 4, lost_starts: 2 }),
    ],
    [
      "time limit before it got to copy",
      before("stopped", { stopped_by: "walltime", got_to_copy: false }),
      {},
      start(5, { spent: 1, walltime_stops: 1, early_stops: 1 }),
    ],
    [
      "killed before it got to copy, budget all but spent",
      before("running", { spent: 2, got_to_copy: false, early_stops: 9 }),
      {},
      start(5, { spent: 2, lost_starts: 1, early_stops: 10 }),
    ],
    [
      "too often before it got to copy",
      before("stopped", { stopped_by: "preemption", got_to_copy: false, early_stops: 10 }),
      {},
      start(5, { spent: 2, preemptions: 1, early_stops: 11 }),
    ],
    [
      "before it got to copy, too many restarts",
      before("stopped", { stopped_by: "walltime", got_to_copy: false, walltime_stops: 5 }),
      {},
      start(5, { spent: 2, walltime_stops: 6, early_stops: 1 }),
    ],
    [
      "soon, but with progress",
      before("running", { got_to_copy: false }),
      { proven: 11 },
      start(5, { spent: 1, lost_starts: 1 }),
    ],
    [
      "of an earlier build, which did not say whether it got to copy",
      before("running", { got_to_copy: null }),
      {},
      start(5, { spent: 2, lost_starts: 1 }),
    ],
    ["a bad node", before("bad-node", { bad_nodes: ["n1"] }), {}, start(5, { spent: 1, bad_nodes: ["n1"] })],
    ["done, but its .done is gone", before("done"), {}, start(5, { spent: 1 })],
  ];
  for (const [what, state, change, decision] of rows) {
    test(what, () => expect(decideStart(state, { ...now, ...change })).toEqual(decision));
  }
});

describe("what follows a pass", () => {
  const facts = {
    pass: 1,
    passes: 3,
    passWaitSeconds: 1,
    unproven: 5,
    settled: 0,
    unmentioned: 0,
    failure: "network" as FailureClass,
  };
  const rows: [string, Partial<typeof facts>, ReturnType<typeof decideAfterPass>][] = [
    ["all proven", { unproven: 0 }, { kind: "done" }],
    ["some left", {}, { kind: "pass", waitSeconds: 1 }],
    ["the wait doubles", { pass: 2 }, { kind: "pass", waitSeconds: 2 }],
    ["the wait has a bound", { pass: 20, passes: 99 }, { kind: "pass", waitSeconds: 60 }],
    ["passes spent", { pass: 3 }, { kind: "fail" }],
    ["only settled ones left", { settled: 5, failure: "missing" }, { kind: "fail" }],
    ["only settled ones left, whatever they are", { settled: 5 }, { kind: "fail" }],
    ["some settled, some not", { settled: 4 }, { kind: "pass", waitSeconds: 1 }],
    ["only unmentioned ones left", { unmentioned: 5, pass: 3 }, { kind: "pass", waitSeconds: 0 }],
    ["unmentioned and settled ones", { unmentioned: 4, settled: 1 }, { kind: "pass", waitSeconds: 0 }],
    ["unmentioned and others, passes spent", { unmentioned: 4, pass: 3 }, { kind: "fail" }],
    ["container", { failure: "container" }, { kind: "fail" }],
    ["auth, about no single one", { failure: "auth" }, { kind: "fail" }],
    ["config", { failure: "config" }, { kind: "fail" }],
    ["a path, about no single one", { failure: "path" }, { kind: "fail" }],
  ];
  for (const [what, change, decision] of rows) {
    test(what, () => expect(decideAfterPass({ ...facts, ...change })).toEqual(decision));
  }
});

test("one node of a partition must be left", () => {
  expect([undefined, 1, 2, 3, 100].map(avoidableNodes)).toEqual([0, 0, 1, 2, 3]);
});

test("which failures are final", () => {
  const isFinal = (final: boolean, spent: number) => isFinalFailure({ final, spent, maxAttempts: 5 });
  expect(isFinal(false, 4)).toBe(false);
  expect(isFinal(false, 5)).toBe(true);
  expect(isFinal(true, 1)).toBe(true);
});

test("throttling halves --transfers down to one, and waits with spread and a bound", () => {
  expect([32, 3, 2, 1].map(lowerTransfers)).toEqual([16, 1, 1, 1]);
  const wait = (spent: number, random: number) => throttleWaitSeconds({ spent, passWaitSeconds: 1, random });
  expect([wait(0, 0), wait(0, 0.5), wait(1, 0.5), wait(20, 0.5)]).toEqual([7.5, 15, 30, 300]);
});
