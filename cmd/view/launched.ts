import type { CompareMode } from "../../lib/compare/delta-rule.ts";
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

/** How a run that is ready for Slurm stands, schema xfer.run.v1. */
export function readyJson(runDir: string, jobId: string | null) {
  return { schema: "xfer.run.v1", run_dir: runDir, job_id: jobId } as const;
}

/** The job of a run, for scripts that take it as it is. */
export function submittedText(jobId: string): string {
  return `${jobId}\n`;
}

/** The job of a run, schema xfer.submit.v1. */
export function submittedJson(runDir: string, jobId: string) {
  return { schema: "xfer.submit.v1", job_id: jobId, run_dir: runDir } as const;
}

/** That a delta left nothing to copy. */
export function nothingToCopyText(compare: CompareMode): string {
  return `nothing to copy: the destination holds every object, compared by ${compare}\n`;
}

/** That an array is waited for, which goes on without it. */
export function watchedText(jobId: string): string {
  return `job ${jobId}: waiting for its end; it goes on when this command is stopped`;
}

/** What is left to do once the array has ended. */
export function verifyLaterText(runDir: string): string {
  return `when the array has ended, compare the destination: xfer verify --run-dir ${runDir}`;
}
