import { afterEach, beforeEach, expect, mock, spyOn, test } from "bun:test";
import type { ShardOutcome } from "../../agent/ledger.ts";
import { finish, nodesOfPartition, waitSeconds } from "../../agent/requeue.ts";
import type { StopMeaning } from "../../agent/stop-meaning.ts";
import type { RunConfig } from "../../lib/run/config.ts";
import type { StopReason } from "../../lib/system/interrupt.ts";
import { log } from "../../lib/system/log.ts";
import { standIns } from "../lib/slurm/stand-ins.ts";
import { temporaryDirectory } from "../stage/harness.ts";

const said: string[] = [];

beforeEach(() => {
  said.length = 0;
  for (const level of ["info", "warn", "error"] as const) {
    spyOn(log, level).mockImplementation(((text: unknown) => said.push(`${level}: ${text}`)) as never);
  }
});

afterEach(() => {
  mock.restore();
  delete process.env.SLURM_JOB_PARTITION;
});

const task = { arrayJobId: "77", taskId: 5 };
const of = (kind: "done" | "failed" | "stopped"): ShardOutcome => ({ kind });
const retry = (more: Partial<Extract<ShardOutcome, { kind: "retry" }>> = {}): ShardOutcome => ({
  kind: "retry",
  badNodes: [],
  throttled: false,
  spent: 1,
  ...more,
});

/** Ends a task whose scontrol does this. */
async function ended(
  outcomes: readonly ShardOutcome[],
  {
    scontrol = "",
    reason,
    meaning,
    alone = false,
    paused = [],
  }: {
    scontrol?: string;
    reason?: StopReason;
    meaning?: StopMeaning;
    alone?: boolean;
    /** What each look for a pause finds. */
    paused?: boolean[];
  } = {},
) {
  using dir = temporaryDirectory("xfer-requeue-");
  using slurm = standIns(dir.path, { scontrol });
  const looks = [...paused];
  const isPaused = () => looks.shift() ?? false;
  const code = await finish(outcomes, { task: alone ? undefined : task, reason, meaning, isPaused });
  return { code, asked: slurm.calls().map(([, ...words]) => words.join(" ")) };
}

const requeue = "requeue 77_5";

/** [what the shards came to, the stop and what it means, the exit code, whether a requeue is asked for] */
test.each<[string, ShardOutcome[], StopReason | undefined, StopMeaning | undefined, number, boolean]>([
  ["nothing to do", [], undefined, undefined, 0, false],
  ["all done", [of("done"), of("done")], undefined, undefined, 0, false],
  ["one failed for good", [of("done"), of("failed")], undefined, undefined, 1, false],
  ["one may be tried again", [of("done"), retry()], undefined, undefined, 75, true],
  ["one may be tried again, one failed for good", [of("failed"), retry()], undefined, undefined, 75, true],
  ["stopped before the time limit", [of("stopped")], "SIGUSR1", "walltime", 75, true],
  ["preempted, and not started again by Slurm", [of("stopped")], "SIGTERM", "preempted", 75, true],
  ["started again by Slurm itself", [of("stopped")], "SIGTERM", "requeued", 75, false],
  ["cancelled", [of("stopped")], "SIGTERM", "cancelled", 75, false],
  [
    "cancelled while another was to be tried again",
    [retry(), of("stopped")],
    "SIGTERM",
    "cancelled",
    75,
    false,
  ],
  ["interrupted", [of("stopped")], "SIGINT", "cancelled", 130, false],
  ["done before the stop was heard", [of("done")], "SIGTERM", "cancelled", 0, false],
  ["failed before the stop was heard", [of("failed")], "SIGUSR1", "walltime", 1, false],
])("a task whose shards are %s", async (_, outcomes, reason, meaning, code, asks) => {
  const found = await ended(outcomes, { ...(reason && { reason }), ...(meaning && { meaning }) });
  expect(found).toEqual({ code: code as 0, asked: asks ? [requeue] : [] });
});

/** [what the shards came to, whether the stop was a pause, what each look for a pause finds, what is asked of Slurm] */
test.each<[string, ShardOutcome[], boolean, boolean[], string[]]>([
  ["stopped by the pause", [of("stopped")], true, [true, true], ["requeuehold 77_5"]],
  ["to be tried again, in a pause", [retry()], false, [true, true], ["requeuehold 77_5"]],
  ["stopped by a pause that has ended since", [of("stopped")], true, [false], [requeue]],
  [
    "held while the run was resumed",
    [of("stopped")],
    true,
    [true, false],
    ["requeuehold 77_5", "release 77_5"],
  ],
  ["done when the pause came", [of("done")], true, [true, true], []],
])("a task whose shards are %s", async (_, outcomes, isPause, paused, asked) => {
  const found = await ended(outcomes, { paused, ...(isPause && { reason: "paused", meaning: "paused" }) });
  expect(found).toEqual({ code: outcomes[0]?.kind === "done" ? 0 : 75, asked });
});

test("a paused task that Slurm does not hold leaves the queue, and says what brings it back", async () => {
  const scontrol = "echo 'Requested operation is presently disabled' >&2; exit 1";
  const found = await ended([of("stopped")], {
    scontrol,
    reason: "paused",
    meaning: "paused",
    paused: [true],
  });
  expect(found.code).toBe(75);
  expect(said).toEqual([
    expect.stringMatching(/^warn: scontrol requeuehold 77_5 failed .*: xfer resume submits/),
  ]);
});

test("without an array task nothing is asked of Slurm", async () => {
  expect(await ended([retry({ badNodes: ["n1"] })], { alone: true })).toEqual({ code: 75, asked: [] });
});

test("a requeue that is refused fails the task, and no node is excluded", async () => {
  const found = await ended([retry({ badNodes: ["n1"] })], { scontrol: "echo 'Job is held' >&2; exit 1" });
  expect(found).toEqual({ code: 1, asked: [requeue] });
  expect(said).toEqual(["error: scontrol requeue 77_5 failed (exit code 1): Job is held"]);
});

test("nodes on which no container started are excluded once the task is requeued, each once", async () => {
  const outcomes = [retry({ badNodes: ["n1", "n2"] }), of("stopped"), retry({ badNodes: ["n2", "n3"] })];
  expect(await ended(outcomes)).toEqual({
    code: 75,
    asked: [requeue, "update JobId=77_5 ExcNodeList=n1,n2,n3"],
  });
  expect(said).toEqual(["info: array task 77_5 requeued"]);
});

const config = (flags: string[]) => ({ rclone_flags: flags }) as Partial<RunConfig> as RunConfig;

test("throttled shards are waited for as the longest of them asks, others not at all", () => {
  expect(waitSeconds([], config([]), {})).toBe(0);
  expect(waitSeconds([of("stopped"), retry({ spent: 9 })], config([]), {})).toBe(0);
  const throttled = (spent: number) => retry({ throttled: true, spent });
  // 15 s doubled with each attempt spent, and half of it to either side.
  const within = (found: number, wait: number) => {
    expect(found).toBeGreaterThanOrEqual(0.5 * wait);
    expect(found).toBeLessThan(1.5 * wait);
  };
  for (let i = 0; i < 20; i++) {
    within(waitSeconds([throttled(0)], config([]), {}), 15);
    within(waitSeconds([throttled(0), throttled(3), of("done")], config([]), {}), 120);
    within(waitSeconds([throttled(0)], config(["--retries-sleep", "2s"]), {}), 30);
  }
});

test("the nodes of the task's partition are counted where Slurm names it", async () => {
  using dir = temporaryDirectory("xfer-nodes-");
  using slurm = standIns(dir.path, { scontrol: "echo 'TotalNodes=12'" });
  expect(await nodesOfPartition({})).toBeUndefined();
  expect(slurm.calls()).toEqual([]);
  expect(await nodesOfPartition({ SLURM_JOB_PARTITION: "transfer" })).toBe(12);
  expect(slurm.calls()).toEqual([["scontrol", "show", "partition", "transfer"]]);
});
