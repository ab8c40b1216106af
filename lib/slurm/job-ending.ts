/** Slurm's description of a job that it is ending. */
export interface JobEnding {
  /** How often the job was started again, this requeue included once Slurm has decided on it. */
  restarts: number;
  preempted: boolean;
}

/** Reads `scontrol show job` of one array task. When the TERM of a requeue arrives, Restarts is counted up already. */
export function parseJobEnding(text: string): JobEnding {
  const restarts = /\bRestarts=(\d+)/.exec(text)?.[1];
  const preempted = /\bPreemptTime=(\S+)/.exec(text)?.[1];
  return { restarts: Number(restarts ?? 0), preempted: preempted !== undefined && preempted !== "None" };
}

/** What follows a TERM from Slurm. */
export type TermMeaning = "requeued" | "preempted" | "cancelled";

/**
 * What a TERM means: Slurm starts the task again by itself ("requeued"), the task was preempted and is not started again, or
 * it was cancelled. `restartsBefore` is SLURM_RESTART_COUNT of the task that got the signal.
 */
export function termMeaning(ending: JobEnding, restartsBefore: number): TermMeaning {
  if (ending.restarts > restartsBefore) return "requeued";
  return ending.preempted ? "preempted" : "cancelled";
}
