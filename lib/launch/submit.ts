import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { remoteContext } from "../rclone/conf.ts";
import { arrayPasswordProblem } from "../rclone/conf-password.ts";
import { requireApart } from "../rclone/overlap.ts";
import { sortUserFlags } from "../rclone/user-flags.ts";
import { readRunConfig } from "../run/config.ts";
import { runLayout } from "../run/layout.ts";
import { noteSubmission } from "../run/submissions.ts";
import { checkShardKeys } from "../shard/check-keys.ts";
import { readShardsMeta } from "../shard/meta.ts";
import { packArray } from "../slurm/array-limits.ts";
import { logOptions } from "../slurm/batch-script.ts";
import { submitScriptIn } from "../slurm/sbatch.ts";
import { readArrayLimits } from "../slurm/scontrol.ts";
import { invalidInput, operationFailed } from "../system/errors.ts";
import { stopSignals, throwIfStopped, watchForStop } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { findProgram } from "../system/process.ts";
import { checkAgent } from "./agent-check.ts";
import { findBeforeSubmit, settleFailures, warned } from "./before-submit.ts";
import { checkImageReadable } from "./image-check.ts";

/** How a run is submitted. */
interface SubmitOptions {
  now: Date;
  /** Whether the image is looked at first; false where only the compute nodes see it. */
  imageCheck: boolean;
  /** Whether it is submitted although a check says that it cannot work; undefined where a command has no --force. */
  force?: boolean;
  /** A stop before anything is submitted. */
  stop?: AbortSignal;
  /** More words for each task's agent. */
  agentArgs?: readonly string[];
}

/**
 * Submits a rendered run as a Slurm job array, notes the job in submissions.jsonl, and returns the job id. Throws, and
 * submits nothing, when its tasks could not start.
 */
export async function submitRun(
  runDir: string,
  { now, imageCheck, force, stop, agentArgs = [] }: SubmitOptions,
): Promise<string> {
  const run = runLayout(runDir);
  const config = readRunConfig(run.config);
  sortUserFlags(config.rclone_flags);
  for (const path of [run.sbatchScript, run.shardsMeta]) {
    if (!existsSync(path)) throw invalidInput(`${path}: no such file: render and shard the run first`);
  }
  requireApart(
    {
      source: { name: "the source", root: config.source_root },
      dest: { name: "the destination", root: config.dest_root },
    },
    remoteContext(config.rclone_config ?? undefined, config.runtime),
  );
  const password = arrayPasswordProblem({
    configPath: config.rclone_config ?? undefined,
    runtime: config.runtime,
    flags: config.rclone_flags,
  });
  if (password !== undefined) throw invalidInput(`${password}: nothing was submitted`);
  findProgram("sbatch");
  await warned(() => checkAgent(run), force);
  if (imageCheck) await warned(() => checkImageReadable(config), force);
  const script = readFileSync(run.sbatchScript, "utf8");
  settleFailures(await findBeforeSubmit({ dir: run.dir, script, config }), force);
  const meta = readShardsMeta(run.shardsMeta);
  if (meta) await checkShardKeys(run.shardsDir, meta, stop);
  mkdirSync(run.logsDir, { recursive: true });
  mkdirSync(run.stateDir, { recursive: true });
  const tasks = packArray(config.num_shards, await readArrayLimits());
  if (tasks === 0)
    throw operationFailed("the cluster allows no job arrays (MaxArraySize in scontrol show config)");
  const packed = tasks < config.num_shards;
  if (stop) throwIfStopped(stop, "nothing was submitted; run the same command again");
  // A signal between sbatch's answer and the note of it would lose the job, and the next start would submit a second array.
  const held = watchForStop(stopSignals);
  try {
    const { jobId, warning } = await submitScriptIn({
      dir: run.dir,
      script: basename(run.sbatchScript),
      options: [
        ...logOptions(script, resolve(run.dir), process.env),
        ...(packed ? [`--array=0-${tasks - 1}%${config.array_concurrency}`] : []),
      ],
      args: [...(packed ? ["--stride", String(tasks)] : []), ...agentArgs],
      jobName: config.job_name,
    });
    noteSubmission(run, { jobId, numShards: config.num_shards, numTasks: tasks, now });
    if (warning !== undefined) log.warn(warning);
    return jobId;
  } finally {
    held.release();
  }
}
