import { appendFileSync } from "node:fs";
import { writing } from "../system/write-error.ts";
import type { RunLayout } from "./layout.ts";

/** The variable that an executor sets for its agents. It names the submission, and says that stdin closes when the executor dies. */
export const submissionVariable = "XFER_SUBMISSION";

/** A job array that was submitted. */
interface Submission {
  jobId: string;
  numShards: number;
  /** Fewer than the shards where the cluster's limits make tasks carry several shards. */
  numTasks: number;
  now: Date;
}

/** Appends a submitted job to submissions.jsonl, schema xfer.submission.v1. */
export function noteSubmission(run: RunLayout, { jobId, numShards, numTasks, now }: Submission): void {
  const line = {
    schema: "xfer.submission.v1",
    job_id: jobId,
    num_shards: numShards,
    num_tasks: numTasks,
    submitted_at: now.toISOString(),
  };
  writing(run.submissions, () => appendFileSync(run.submissions, `${JSON.stringify(line)}\n`));
}
