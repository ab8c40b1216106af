import type { FailureClass } from "../rclone/failure-class.ts";

/** Steps of which no more is to be said. With the last three nothing is to be done. */
export const plainSteps = [
  ...(["resume", "submit", "start-again", "release", "look-at-nodes", "look-at-store"] as const),
  ...(["untransferable", "verify", "differs", "wait", "wait-for-verification", "nothing"] as const),
] as const;

/** What a run's owner is to do now. */
export type NextStep =
  | { kind: (typeof plainSteps)[number] }
  /** These classes failed for good; `others` still go on. */
  | { kind: "mend"; classes: FailureClass[]; others: boolean };

/** What the next step follows from. */
export interface Situation {
  shards: {
    total: number;
    done: number;
    running: number;
    waiting: number;
    requeue: number;
    stopped: number;
    failed: number;
    stale: number;
  };
  isPaused: boolean;
  /** Whether anything was ever submitted or started. */
  isBegun: boolean;
  /** Whether waiting tasks are held in Slurm, and nothing runs. */
  isHeld: boolean;
  /** Whether what runs waits for a store. */
  isHindered: boolean;
  failedClasses: FailureClass[];
  untransferable: number;
  /** What verify.json says; null when there is none. */
  verified: boolean | null;
  /** Whether a job that compares is in the queue. */
  isVerifying: boolean;
}

/**
 * What to do now; the first line that fits:
 *
 * | situation | step |
 * |---|---|
 * | all done, and something is untransferable | untransferable: rename it at the source, or allow it |
 * | all done and verified | nothing |
 * | all done, and the comparison is in the queue | wait-for-verification |
 * | all done, and the destination differs | differs |
 * | all done | verify |
 * | paused | resume |
 * | shards failed for good | mend the classes, then retry them |
 * | nothing was ever submitted or started | submit |
 * | tasks are held in Slurm | release |
 * | shards stopped, and nothing else goes on | start-again |
 * | agents are silent | look-at-nodes |
 * | what runs waits for a store | look-at-store |
 * | any other | wait |
 */
export function nextStep(now: Situation): NextStep {
  const { shards } = now;
  if (shards.done === shards.total) {
    if (now.untransferable > 0) return { kind: "untransferable" };
    if (now.verified === true) return { kind: "nothing" };
    if (now.isVerifying) return { kind: "wait-for-verification" };
    return { kind: now.verified === false ? "differs" : "verify" };
  }
  const others = shards.running + shards.waiting + shards.requeue + shards.stale;
  if (now.isPaused) return { kind: "resume" };
  if (shards.failed > 0) return { kind: "mend", classes: now.failedClasses, others: others > 0 };
  if (!now.isBegun) return { kind: "submit" };
  if (now.isHeld) return { kind: "release" };
  if (shards.stopped > 0 && others === 0) return { kind: "start-again" };
  if (shards.stale > 0) return { kind: "look-at-nodes" };
  return { kind: now.isHindered ? "look-at-store" : "wait" };
}
