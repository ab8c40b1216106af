import { describe, expect, test } from "bun:test";
import { decideAfterPass, decideStart, isFinalFailure, stopsMax } from "../../agent/decide.ts";
import type { FailureClass } from "../../lib/rclone/failure-class.ts";
import type { AttemptState, StateFile } from "../../lib/run/state.ts";

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
      stops: 0,
      outcome,
      proven_at_start: 10,
      node: "n1",
      host: "h",
      agent: { pid: 1, start: "1" },
      child: null,
      started_at: "2026-01-01T00:00:00.000Z",
      ...more,
    },
  };
}

describe("how a shard starts", () => {
  const now = { submission: "slurm:7", maxAttempts: 3, proven: 10 };
  const rows: [string, StateFile<AttemptState>, Partial<typeof now>, ReturnType<typeof decideStart>][] = [
    ["nothing before", { kind: "none" }, {}, { kind: "start", attempt: 1, spent: 0, stops: 0 }],
    [
      "unreadable",
      { kind: "unreadable", reason: "torn" },
      {},
      { kind: "start", attempt: 1, spent: 0, stops: 0 },
    ],
    [
      "another submission",
      before("failed"),
      { submission: "slurm:8" },
      { kind: "start", attempt: 5, spent: 0, stops: 0 },
    ],
    ["failed", before("failed"), {}, { kind: "start", attempt: 5, spent: 2, stops: 0 }],
    [
      "failed, budget spent",
      before("failed", { spent: 2 }),
      {},
      { kind: "budget-spent", attempt: 4, spent: 3 },
    ],
    [
      "stopped with progress",
      before("stopped"),
      { proven: 11 },
      { kind: "start", attempt: 5, spent: 1, stops: 1 },
    ],
    ["stopped without progress", before("stopped"), {}, { kind: "start", attempt: 5, spent: 2, stops: 0 }],
    [
      "killed with progress",
      before("running"),
      { proven: 11 },
      { kind: "start", attempt: 5, spent: 1, stops: 1 },
    ],
    [
      "killed without progress, budget spent",
      before("running", { spent: 2 }),
      {},
      { kind: "budget-spent", attempt: 4, spent: 3 },
    ],
    [
      "too many stops",
      before("stopped", { stops: stopsMax }),
      { proven: 11 },
      { kind: "start", attempt: 5, spent: 2, stops: stopsMax },
    ],
    ["done, but its .done is gone", before("done"), {}, { kind: "start", attempt: 5, spent: 1, stops: 0 }],
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
    missing: 0,
    failure: "network" as FailureClass,
  };
  const rows: [string, Partial<typeof facts>, ReturnType<typeof decideAfterPass>][] = [
    ["all proven", { unproven: 0 }, { kind: "done" }],
    ["some left", {}, { kind: "pass", waitSeconds: 1 }],
    ["the wait doubles", { pass: 2 }, { kind: "pass", waitSeconds: 2 }],
    ["the wait has a bound", { pass: 20, passes: 99 }, { kind: "pass", waitSeconds: 60 }],
    ["passes spent", { pass: 3 }, { kind: "fail" }],
    ["only missing ones left", { missing: 5, failure: "missing" }, { kind: "fail" }],
    ["some missing, some not", { missing: 4 }, { kind: "pass", waitSeconds: 1 }],
    ["auth", { failure: "auth" }, { kind: "fail" }],
    ["config", { failure: "config" }, { kind: "fail" }],
  ];
  for (const [what, change, decision] of rows) {
    test(what, () => expect(decideAfterPass({ ...facts, ...change })).toEqual(decision));
  }
});

test("which failures are final", () => {
  const final = (failure: FailureClass, spent: number) => isFinalFailure({ failure, spent, maxAttempts: 5 });
  expect(final("network", 1)).toBe(false);
  expect(final("network", 5)).toBe(true);
  expect(final("missing", 1)).toBe(true);
  expect(final("auth", 1)).toBe(true);
  expect(final("config", 1)).toBe(true);
});
