import type { StopCause } from "../lib/run/state/attempt.ts";
import type { ArrayTask } from "../lib/slurm/array-task.ts";
import { type TermMeaning, termMeaning } from "../lib/slurm/job-ending.ts";
import { readJobEnding } from "../lib/slurm/scontrol.ts";
import type { StopReason } from "../lib/system/interrupt.ts";

/** The meaning of a stop for a task: it requeues itself, Slurm requeues it, or it stays stopped, for good or until the run is resumed. */
export type StopMeaning = "walltime" | "paused" | TermMeaning;

/** How .attempt counts a stop. */
export const causeOf = {
  walltime: "walltime",
  paused: "pause",
  requeued: "preemption",
  preempted: "preemption",
  cancelled: "other",
} as const satisfies Record<StopMeaning, StopCause>;

/** Asks Slurm what a stop means. Outside an array task it means that the task stays stopped. */
export async function meaningOfStop(
  task: ArrayTask | undefined,
  reason: StopReason | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<StopMeaning> {
  if (reason === "SIGUSR1") return "walltime";
  if (reason === "paused") return "paused";
  if (!task) return "cancelled";
  const ending = await readJobEnding(task);
  return ending ? termMeaning(ending, Number(env.SLURM_RESTART_COUNT ?? 0)) : "cancelled";
}
