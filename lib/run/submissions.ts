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
  /**
   * Fewer than the shards where the cluster's limits make tasks carry several: task t carries the shards t, t + numTasks, and
   * so on. An array of some of these tasks alone has the same numbers.
   */
  numTasks: number;
  /** What its tasks do; copying when it is left out. */
  kind?: SubmissionKind | undefined;
  now: Date;
}

/** What a submitted job is for: copying, comparing with the destination, or adding up the comparison. */
export const submissionKinds = ["copy", "verify", "collect"] as const;

export type SubmissionKind = (typeof submissionKinds)[number];

/** The schema of a line of submissions.jsonl. */
export const submissionSchema = v.object({
  schema: v.literal("xfer.submission.v1"),
  job_id: v.string(),
  kind: v.optional(v.picklist(submissionKinds), "copy"),
  num_shards: v.optional(v.number(), 0),
  /** Of fewer tasks than shards, task t carries the shards t, t + num_tasks, and so on. */
  num_tasks: v.optional(v.number(), 0),
  submitted_at: v.optional(v.string(), ""),
});

/** A line of submissions.jsonl. */
export type SubmittedJob = v.InferOutput<typeof submissionSchema>;

/** The jobs of a run, in the order of their submission. A torn line, of a crash, is passed over. */
export function readSubmissions(run: RunLayout): SubmittedJob[] {
  return (readTextIfExists(run.submissions) ?? "").split("\n").flatMap((line) => {
    try {
      const result = v.safeParse(submissionSchema, JSON.parse(line));
      return result.success ? [result.output] : [];
    } catch {
      return [];
    }
  });
}

/** The distance from one of a task's shards to the next; null where a task copies the shard of its own number. */
export const strideOf = ({
  num_shards,
  num_tasks,
}: Pick<SubmittedJob, "num_shards" | "num_tasks">): number | null =>
  num_tasks > 0 && num_tasks < num_shards ? num_tasks : null;

/** The copying job that was submitted last; undefined when none was. */
export const lastSubmission = (run: RunLayout): string | undefined =>
  readSubmissions(run).findLast(({ kind }) => kind === "copy")?.job_id;

/** The jobs that compare and add up, of those that were submitted after this one. */
export function proofJobsAfter(run: RunLayout, jobId: string): string[] {
  const jobs = readSubmissions(run);
  const later = jobs.slice(jobs.findLastIndex((job) => job.job_id === jobId) + 1);
  return later.filter(({ kind }) => kind !== "copy").map((job) => job.job_id);
}

/** Appends a submitted job to submissions.jsonl, schema xfer.submission.v1. */
export function noteSubmission(
  run: RunLayout,
  { jobId, numShards, numTasks, kind = "copy", now }: Submission,
): void {
  const line = {
    schema: "xfer.submission.v1",
    job_id: jobId,
    ...(kind === "copy" ? {} : { kind }),
    num_shards: numShards,
    num_tasks: numTasks,
    submitted_at: now.toISOString(),
  };
  writing(run.submissions, () => appendFileSync(run.submissions, `${JSON.stringify(line)}\n`));
}
