import type { SubmissionKind, SubmittedJob } from "../run/submissions.ts";
import type { QueuedTasks } from "../slurm/squeue.ts";

/** A submitted job; its names are those of the JSON that is printed. */
export interface JobRow {
  job_id: string;
  kind: SubmissionKind;
  submitted_at: string | null;
  /** How many of its tasks run and wait; 0 where Slurm was not asked. */
  running: number;
  pending: number;
  /** Why most of its waiting tasks wait, in Slurm's word; null where none waits. */
  reason: string | null;
  /** How many tasks may run at a time; null where it is not known. */
  limit: number | null;
}

/** The jobs of a run in the order of their submission, with what the queue says of each. */
export function jobRows(
  submissions: readonly SubmittedJob[],
  queue: readonly QueuedTasks[] | undefined,
): JobRow[] {
  return submissions.map(({ job_id, kind, submitted_at }) => {
    const own = (queue ?? []).filter(({ jobId }) => jobId === job_id);
    const row: JobRow = {
      ...{
        job_id,
        kind,
        submitted_at: submitted_at || null,
        running: 0,
        pending: 0,
        reason: null,
        limit: null,
      },
    };
    const reasons = new Map<string, number>();
    for (const { state, reason, taskIds, limit } of own) {
      // A job that is no array has no index, and is one task.
      const tasks = Math.max(1, taskIds.length);
      row.limit ??= limit;
      if (/^(?:PENDING|REQUEUE|RESV_DEL_HOLD|SPECIAL_EXIT)/.test(state)) {
        row.pending += tasks;
        if (reason !== "None") reasons.set(reason, (reasons.get(reason) ?? 0) + tasks);
      } else row.running += tasks;
    }
    row.reason = [...reasons].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
    return row;
  });
}
