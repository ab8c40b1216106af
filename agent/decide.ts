import { canPass, type FailureClass } from "../lib/rclone/failure-class.ts";
import type { AttemptState } from "../lib/run/state/attempt.ts";
import type { StateFile } from "../lib/run/state/state-file.ts";

/** Nodes that one shard may be kept off. */
const badNodesMax = 3;

/**
 * How many nodes a shard may be kept off, in a partition of so many: one must be left, or the task would wait for ever. None
 * where Slurm does not say how many there are.
 */
export function avoidableNodes(partitionNodes: number | undefined): number {
  return Math.max(0, Math.min(badNodesMax, (partitionNodes ?? 1) - 1));
}

/** What a shard's starts of one submission have come to. */
export type StartCounters = Pick<
  AttemptState,
  | "spent"
  | "walltime_stops"
  | "preemptions"
  | "lost_starts"
  | "other_stops"
  | "early_stops"
  | "bad_nodes"
  | "transfers"
>;

/** What the next start of a shard's agent is. */
export type StartDecision =
  | { kind: "start"; attempt: number; counters: StartCounters }
  | { kind: "budget-spent"; attempt: number; spent: number }
  | { kind: "failed-already"; attempt: number };

const nothingYet: StartCounters = {
  spent: 0,
  walltime_stops: 0,
  preemptions: 0,
  lost_starts: 0,
  other_stops: 0,
  early_stops: 0,
  bad_nodes: [],
  transfers: null,
};

/** The counter that a start which was ended from outside belongs to; no outcome at all is a lost start. */
const counterOf = { walltime: "walltime_stops", preemption: "preemptions", other: "other_stops" } as const;

/** How many starts of a submission may end before they got to copy without spending an attempt. */
const earlyStopsMax = 10;

/**
 * Decides how a shard starts, from what its .attempt says of the start before:
 *
 * | before | counts as |
 * |---|---|
 * | none, unreadable | the first attempt |
 * | another submission | a new budget: nothing spent |
 * | failed, and its .fail is final | no start: a neighbour's requeue does not try it again |
 * | failed | one attempt spent |
 * | no container started on the node, and there are others | nothing spent |
 * | stopped by a signal, or no outcome (killed, node gone), with progress | nothing spent, --max-restarts times at most |
 * | the same without progress, before it got to copy | nothing spent, 10 times at most, and --max-restarts times with those above |
 * | the same without progress, although it got to copy | one attempt spent |
 * | done (but its .done is gone or of another digest) | nothing spent |
 */
export function decideStart(
  before: StateFile<AttemptState>,
  now: {
    submission: string;
    maxAttempts: number;
    maxRestarts: number;
    proven: number;
    /** Whether there is a .fail of this submission that says it is final. */
    finalFail: boolean;
  },
): StartDecision {
  if (before.kind !== "value") return { kind: "start", attempt: 1, counters: nothingYet };
  const { attempt, submission, outcome, stopped_by: cause, proven_at_start: provenBefore } = before.value;
  if (submission !== now.submission) return { kind: "start", attempt: attempt + 1, counters: nothingYet };
  if (outcome === "failed" && now.finalFail) return { kind: "failed-already", attempt };
  const { spent, walltime_stops, preemptions, lost_starts, other_stops, early_stops } = before.value;
  const { bad_nodes, transfers } = before.value;
  const stops = { walltime_stops, preemptions, lost_starts, other_stops };
  const counters = { spent, ...stops, early_stops, bad_nodes, transfers };
  if (outcome === "stopped" || outcome === "running") {
    counters[outcome === "running" ? "lost_starts" : counterOf[cause ?? "other"]]++;
    const restarts = walltime_stops + preemptions + lost_starts + other_stops;
    const progressed = now.proven > provenBefore;
    const isEarly = !progressed && before.value.got_to_copy === false;
    if (isEarly) counters.early_stops++;
    const isFree = progressed || (isEarly && early_stops < earlyStopsMax);
    if (!isFree || restarts >= now.maxRestarts) counters.spent++;
  } else if (outcome === "failed") {
    counters.spent++;
  }
  if (counters.spent >= now.maxAttempts) return { kind: "budget-spent", attempt, spent: counters.spent };
  return { kind: "start", attempt: attempt + 1, counters };
}

/** What follows a pass. */
export type PassDecision = { kind: "done" } | { kind: "fail" } | { kind: "pass"; waitSeconds: number };

/** The longest wait between two passes. */
const passWaitSecondsMax = 60;

/**
 * Decides what follows a pass:
 *
 * | what is not proven | then |
 * |---|---|
 * | nothing | done |
 * | only settled records: each has a failure of its own that only the user cures | fail |
 * | of the rest, all were passed over in silence | a pass of its own, which spends none: one that proves nothing makes them missing |
 * | the rest, by a container or by what only the user cures: that is about no single record | fail: a container that does not start here is for another node |
 * | the rest, by anything else | the next pass, after doubling waits, until the passes are spent |
 */
export function decideAfterPass(facts: {
  pass: number;
  passes: number;
  passWaitSeconds: number;
  /** Records that are not proven. */
  unproven: number;
  /** Of these: those that no other pass can prove. */
  settled: number;
  /** Of these: rclone ended well without a word of them, while it proved others. */
  unmentioned: number;
  /** Why those failed that are not settled. */
  failure: FailureClass;
}): PassDecision {
  if (facts.unproven === 0) return { kind: "done" };
  const onlySettled = facts.unproven === facts.settled;
  if (!onlySettled && facts.unproven === facts.settled + facts.unmentioned) {
    return { kind: "pass", waitSeconds: 0 };
  }
  const hopeless = facts.failure === "container" || !canPass(facts.failure);
  if (onlySettled || hopeless || facts.pass >= facts.passes) return { kind: "fail" };
  const waitSeconds = Math.min(passWaitSecondsMax, facts.passWaitSeconds * 2 ** (facts.pass - 1));
  return { kind: "pass", waitSeconds };
}

/** Whether a failed attempt is the last of its submission. */
export function isFinalFailure(facts: {
  /** Whether only the user cures it. */
  final: boolean;
  /** Attempts spent, this one included. */
  spent: number;
  maxAttempts: number;
}): boolean {
  return facts.final || facts.spent >= facts.maxAttempts;
}

/** --transfers after a pass that was throttled: half, and at least one. */
export function lowerTransfers(transfers: number): number {
  return Math.max(1, Math.floor(transfers / 2));
}

/** The longest wait before a throttled task asks for its requeue. */
const throttleWaitSecondsMax = 300;

/**
 * Seconds to wait before a throttled attempt's requeue: 15 times the wait between passes, doubling with each attempt
 * spent, and spread by half to either side (`random` is in [0, 1)), so that an array does not come back at once.
 */
export function throttleWaitSeconds(facts: {
  spent: number;
  passWaitSeconds: number;
  random: number;
}): number {
  const wait = Math.min(throttleWaitSecondsMax, 15 * facts.passWaitSeconds * 2 ** Math.min(facts.spent, 10));
  return wait * (0.5 + facts.random);
}
