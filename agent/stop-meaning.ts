import type { StopCause } from "../lib/run/state/attempt.ts";
import type { ArrayTask } from "../lib/slurm/array-task.ts";
import { type TermMeaning, termMeaning } from "../lib/slurm/job-ending.ts";
import { readJobEnding } from "../lib/slurm/scontrol.ts";
import type { StopReason } from "../lib/system/interrupt.ts";

/** What a stop means for a task: it requeues itself, Slurm requeues it, or it stays stopped. */
export type StopMeaning = "walltime" | TermMeaning;

/** What a stop counts as in .attempt. */
export const causeOf = {
  walltime: "walltime",
  requeued: "preemption",
  preempted: "preemption",
  cancelled: "other",
} as const satisfies Record<StopMeaning, StopCause>;

/** Asks Slurm what a stop means; without an array task it is the end. */
export async function meaningOfStop(
  task: ArrayTask | undefined,
  reason: StopReason | undefined,
): Promise<StopMeaning> {
  if (reason === "SIGUSR1") return "walltime";
  if (!task) return "cancelled";
  const ending = await readJobEnding(task);
  return ending ? termMeaning(ending, Number(process.env.SLURM_RESTART_COUNT ?? 0)) : "cancelled";
}
