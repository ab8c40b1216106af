import { canPass, type FailureClass } from "../lib/rclone/failure-class.ts";
import type { AttemptState, StateFile } from "../lib/run/state.ts";

/** Starts that a signal or a kill ended, and that made progress, spend no attempt; this many at most. */
export const stopsMax = 100;

/** What the next start of a shard's agent is. */
export type StartDecision =
  | { kind: "start"; attempt: number; spent: number; stops: number }
  | { kind: "budget-spent"; attempt: number; spent: number };

/**
 * Decides how a shard starts, from what its .attempt says of the start before:
 *
 * | before | counts as |
 * |---|---|
 * | none, unreadable | the first attempt |
 * | another submission | a new budget: nothing spent |
 * | failed | one attempt spent |
 * | stopped by a signal, or no outcome (killed, node gone), with progress | a stop: nothing spent, at most 100 times |
 * | the same without progress | one attempt spent |
 * | done (but its .done is gone or of another digest) | nothing spent |
 */
export function decideStart(
  before: StateFile<AttemptState>,
  now: { submission: string; maxAttempts: number; proven: number },
): StartDecision {
  if (before.kind !== "value") return { kind: "start", attempt: 1, spent: 0, stops: 0 };
  const { attempt, submission, outcome, proven_at_start: provenBefore } = before.value;
  if (submission !== now.submission) return { kind: "start", attempt: attempt + 1, spent: 0, stops: 0 };
  let { spent, stops } = before.value;
  const fromOutside = outcome === "stopped" || outcome === "running";
  if (fromOutside && now.proven > provenBefore && stops < stopsMax) stops++;
  else if (outcome !== "done") spent++;
  if (spent >= now.maxAttempts) return { kind: "budget-spent", attempt, spent };
  return { kind: "start", attempt: attempt + 1, spent, stops };
}

/** What follows a pass. */
export type PassDecision = { kind: "done" } | { kind: "fail" } | { kind: "pass"; waitSeconds: number };

/** The longest wait between two passes. */
const passWaitSecondsMax = 60;

/**
 * Decides what follows a pass: nothing left is done; what no repetition can cure fails at once; the rest is tried
 * again, with doubling waits, until the passes are spent.
 */
export function decideAfterPass(facts: {
  pass: number;
  passes: number;
  passWaitSeconds: number;
  /** Records that are not proven, by whether another pass can prove them. */
  unproven: number;
  missing: number;
  /** Why the pass failed as a whole. */
  failure: FailureClass;
}): PassDecision {
  if (facts.unproven === 0) return { kind: "done" };
  const onlyMissing = facts.unproven === facts.missing;
  if (onlyMissing || facts.failure === "auth" || facts.failure === "config") return { kind: "fail" };
  if (facts.pass >= facts.passes) return { kind: "fail" };
  const waitSeconds = Math.min(passWaitSecondsMax, facts.passWaitSeconds * 2 ** (facts.pass - 1));
  return { kind: "pass", waitSeconds };
}

/** Whether a failed attempt is the last of its submission. */
export function isFinalFailure(facts: {
  failure: FailureClass;
  /** Attempts spent, this one included. */
  spent: number;
  maxAttempts: number;
}): boolean {
  return !canPass(facts.failure) || facts.spent >= facts.maxAttempts;
}
