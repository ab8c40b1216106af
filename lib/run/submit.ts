import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { basename } from "node:path";
import { checkShardKeys } from "../manifest/check-shards.ts";
import { readShardsMeta } from "../manifest/shards-meta.ts";
import { packArray } from "../slurm/limits.ts";
import { readArrayLimits, requireSbatch, submitScriptIn } from "../slurm/scheduler.ts";
import { invalidInput, operationFailed } from "../system/errors.ts";
import { log } from "../system/log.ts";
import { writing } from "../system/write-error.ts";
import { readRunConfig } from "./config.ts";
import { checkImageHere } from "./image.ts";
import { runLayout } from "./layout.ts";

/** How a run is submitted. */
interface SubmitOptions {
  now: Date;
  /** Look at the image first; not where only the compute nodes see it. */
  imageCheck: boolean;
  /** More words for each task's agent. */
  agentArgs?: readonly string[];
}

/**
 * Submits a rendered run as a Slurm job array, notes the job in submissions.jsonl, and returns the job id. Throws, and
 * submits nothing, when its tasks could not start.
 */
export async function submitRun(
  runDir: string,
  { now, imageCheck, agentArgs = [] }: SubmitOptions,
): Promise<string> {
  const run = runLayout(runDir);
  const config = readRunConfig(run.config);
  for (const path of [run.sbatchScript, run.shardsMeta]) {
    if (!existsSync(path)) throw invalidInput(`${path}: no such file: render and shard the run first`);
  }
  if (!existsSync(run.binary) && !existsSync(run.agentPath)) {
    throw invalidInput(`${run.binary}: no such file: render the run again`);
  }
  const meta = readShardsMeta(run.shardsMeta);
  if (meta) await checkShardKeys(run.shardsDir, meta);
  requireSbatch();
  const warning = imageCheck ? checkImageHere(config) : undefined;
  if (warning) log.warn(warning);
  mkdirSync(run.logsDir, { recursive: true });
  mkdirSync(run.stateDir, { recursive: true });
  const tasks = packArray(config.num_shards, await readArrayLimits());
  if (tasks === 0)
    throw operationFailed("the cluster allows no job arrays (MaxArraySize in scontrol show config)");
  const packed = tasks < config.num_shards;
  const jobId = await submitScriptIn(run.dir, basename(run.sbatchScript), {
    options: packed ? [`--array=0-${tasks - 1}%${config.array_concurrency}`] : [],
    args: [...(packed ? ["--stride", String(tasks)] : []), ...agentArgs],
  });
  const line = {
    schema: "xfer.submission.v1",
    job_id: jobId,
    num_shards: config.num_shards,
    num_tasks: tasks,
    submitted_at: now.toISOString(),
  };
  writing(run.submissions, () => appendFileSync(run.submissions, `${JSON.stringify(line)}\n`));
  return jobId;
}
