import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { basename } from "node:path";
import { submitScriptIn } from "../slurm/scheduler.ts";
import { invalidInput } from "../system/errors.ts";
import { readRunConfig } from "./config.ts";
import { runLayout } from "./layout.ts";

/** Submits a rendered run as a Slurm job array, notes the job in submissions.jsonl, and returns the job id. */
export async function submitRun(runDir: string, now: Date): Promise<string> {
  const run = runLayout(runDir);
  const config = readRunConfig(run.config);
  for (const path of [run.sbatchScript, run.shardsMeta]) {
    if (!existsSync(path)) throw invalidInput(`${path}: no such file: render and shard the run first`);
  }
  if (!existsSync(run.binary) && !existsSync(run.agentPath)) {
    throw invalidInput(`${run.binary}: no such file: render the run again`);
  }
  mkdirSync(run.logsDir, { recursive: true });
  mkdirSync(run.stateDir, { recursive: true });
  const jobId = await submitScriptIn(run.dir, basename(run.sbatchScript));
  const line = {
    schema: "xfer.submission.v1",
    job_id: jobId,
    num_shards: config.num_shards,
    submitted_at: now.toISOString(),
  };
  appendFileSync(run.submissions, `${JSON.stringify(line)}\n`);
  return jobId;
}
