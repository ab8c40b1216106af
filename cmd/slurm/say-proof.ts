import type { PipelineJobs } from "../../lib/launch/submit-proof.ts";
import { log } from "../../lib/system/log.ts";
import { proofJobsText } from "../view/launched.ts";

/** Says which jobs prove a run, or which of them is not in the queue; returns whether all are. */
export function sayProof(jobs: PipelineJobs): boolean {
  if (jobs.problem === undefined) log.info(proofJobsText(jobs));
  else log.error(jobs.problem);
  return jobs.problem === undefined;
}
