import type { RunStatus } from "./status.ts";

/** Since when nothing of a run goes on by itself; undefined while something does. */
export interface Quiet {
  sinceMs: number;
  /** How many answers of Slurm there were by then. */
  answers: number;
}

/** How long a run that Slurm knows nothing of may stand still before it counts as ended: an executor waits less. */
const quietSeconds = 120;

/**
 * Whether a run has ended, so that there is nothing to wait for:
 *
 * | shards | and | ended |
 * |---|---|---|
 * | all done, or failed for good | | yes |
 * | others are left | it is paused | no |
 * | some run, wait or are to be started again | it has jobs, or one runs | no |
 * | none of these, only stopped ones | Slurm said so twice: a task between its end and its requeue can be missed once | yes |
 * | none runs | it has no jobs, and that has been so for two minutes | yes |
 */
export function quietStep(
  before: Quiet | undefined,
  { shards, paused, jobs, slurm }: Pick<RunStatus, "shards" | "paused" | "jobs" | "slurm">,
  now: { ms: number; answers: number },
): { quiet: Quiet | undefined; hasEnded: boolean } {
  if (shards.done + shards.failed === shards.total) return { quiet: before, hasEnded: true };
  const hasJobs = jobs.length > 0;
  const isActive =
    shards.running > 0 || (hasJobs && (!slurm || shards.waiting + shards.requeue + shards.stale > 0));
  if (paused !== null || isActive) return { quiet: undefined, hasEnded: false };
  const quiet = before ?? { sinceMs: now.ms, answers: now.answers };
  const isLong = now.ms - quiet.sinceMs >= quietSeconds * 1000;
  return { quiet, hasEnded: hasJobs ? now.answers > quiet.answers : isLong };
}
