import type { CompareMode } from "../../lib/compare/delta-rule.ts";
import type { PipelineJobs } from "../../lib/launch/submit-proof.ts";
import type { RunConfig } from "../../lib/run/config.ts";
import { formatShards } from "../../lib/system/units.ts";

const submitWith = (runDir: string): string => `submit with: xfer slurm submit --run-dir ${runDir}`;

/** That a run was rendered, and how it is submitted. */
export function renderedText(runDir: string, { num_shards }: Pick<RunConfig, "num_shards">): string {
  return `${runDir}: rendered for ${formatShards(num_shards)}; ${submitWith(runDir)}\n`;
}

/** The configuration of a run that was rendered, and where it is. */
export function renderedJson(runDir: string, config: RunConfig) {
  return { ...config, run_dir: runDir };
}

/** How a run that is ready for Slurm stands: its job, or how it is submitted. */
export function readyText(runDir: string, jobId: string | null): string {
  return jobId === null ? `${runDir}: ready; ${submitWith(runDir)}\n` : submittedText(jobId);
}

/** How a run that is ready for Slurm stands, schema xfer.run.v1; `proof` is there where it was asked for. */
export function readyJson(runDir: string, jobId: string | null, proof?: PipelineJobs) {
  return { schema: "xfer.run.v1", run_dir: runDir, job_id: jobId, ...proofJson(proof) } as const;
}

/** The job of a run, for scripts that take it as it is. */
export function submittedText(jobId: string): string {
  return `${jobId}\n`;
}

/** The job of a run, schema xfer.submit.v1; `proof` is there where it was asked for. */
export function submittedJson(runDir: string, jobId: string, proof?: PipelineJobs) {
  return { schema: "xfer.submit.v1", job_id: jobId, run_dir: runDir, ...proofJson(proof) } as const;
}

/** The jobs that prove a run, where they were asked for. */
export const proofJson = (proof: PipelineJobs | undefined) =>
  proof && { verify_job_id: proof.verifyJobId, collect_job_id: proof.collectJobId };

/** The jobs that prove a run, beside the one that copies. */
export function proofJobsText({ verifyJobId, collectJobId }: PipelineJobs): string {
  const compares = verifyJobId === null ? "" : `job ${verifyJobId} compares the destination after it, `;
  return `${compares}job ${collectJobId} writes verify.json at the end`;
}

/** That a delta left nothing to copy. */
export function nothingToCopyText(compare: CompareMode): string {
  return `nothing to copy: the destination holds every object, compared by ${compare}\n`;
}

/** That an array is waited for, which goes on without it. */
export function watchedText(jobId: string): string {
  return `job ${jobId}: waiting for its end; it goes on when this command is stopped`;
}

/** That the jobs are waited for that compare the destination. */
export function proofAwaitedText(jobIds: readonly string[]): string {
  return `comparing the destination: job ${jobIds.join(", ")}`;
}

/** What is left to do once the array has ended. */
export function verifyLaterText(runDir: string): string {
  return `when the array has ended, compare the destination: xfer verify --run-dir ${runDir}`;
}
