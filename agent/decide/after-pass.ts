import { type FailureClass, isTransient } from "../../lib/rclone/failure-class.ts";

/** The next step of an attempt after a pass. */
export type PassDecision = { kind: "done" } | { kind: "fail" } | { kind: "pass"; waitSeconds: number };

/** The longest wait between two passes. */
const passWaitSecondsMax = 60;

/**
 * Decides what an attempt does after a pass:
 *
 * | records that are not proven | then |
 * |---|---|
 * | none | done |
 * | only settled ones: each has a failure of its own that only the user cures | fail |
 * | some that are not settled, all of which rclone passed over in silence | another pass over these at once: if it proves nothing, they are missing |
 * | some that are not settled, by a container or by a failure that only the user cures | fail: the failure is about no single record, and a container may start on another node |
 * | some that are not settled, by another failure | the next pass, after doubling waits, until the passes are spent |
 */
export function decideAfterPass(facts: {
  pass: number;
  passes: number;
  passWaitSeconds: number;
  /** Records that are not proven. */
  unproven: number;
  /** How many of them no other pass can prove. */
  settled: number;
  /** How many of them rclone did not name, although it ended well and proved others. */
  unmentioned: number;
  /** Why the records failed that are not settled. */
  failure: FailureClass;
}): PassDecision {
  if (facts.unproven === 0) return { kind: "done" };
  const onlySettled = facts.unproven === facts.settled;
  if (!onlySettled && facts.unproven === facts.settled + facts.unmentioned) {
    return { kind: "pass", waitSeconds: 0 };
  }
  const hopeless = facts.failure === "container" || !isTransient(facts.failure);
  if (onlySettled || hopeless || facts.pass >= facts.passes) return { kind: "fail" };
  const waitSeconds = Math.min(passWaitSecondsMax, facts.passWaitSeconds * 2 ** (facts.pass - 1));
  return { kind: "pass", waitSeconds };
}

/** Whether a failed attempt is the last of its submission. */
export function isFinalFailure(facts: {
  /** Whether only the user can cure the failure. */
  final: boolean;
  /** Attempts spent, this one included. */
  spent: number;
  maxAttempts: number;
}): boolean {
  return facts.final || facts.spent >= facts.maxAttempts;
}
