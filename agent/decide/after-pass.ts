import { type FailureClass, isTransient } from "../../lib/rclone/failure-class.ts";

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
  const hopeless = facts.failure === "container" || !isTransient(facts.failure);
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
