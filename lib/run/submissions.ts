import { appendFileSync } from "node:fs";
import * as v from "valibot";
import { readTextIfExists } from "../system/durable.ts";
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

const submissionSchema = v.object({ schema: v.literal("xfer.submission.v1"), job_id: v.string() });

/** The job that was submitted last; undefined when none was. A torn line, of a crash, is passed over. */
export function lastSubmission(run: RunLayout): string | undefined {
  const lines = (readTextIfExists(run.submissions) ?? "").split("\n");
  const jobs = lines.flatMap((line) => {
    try {
      const result = v.safeParse(submissionSchema, JSON.parse(line));
      return result.success ? [result.output.job_id] : [];
    } catch {
      return [];
    }
  });
  return jobs.at(-1);
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
