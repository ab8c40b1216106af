import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { remoteContext } from "../rclone/conf.ts";
import { arrayPasswordProblem } from "../rclone/conf-password.ts";
import { requireApart } from "../rclone/overlap.ts";
import { sortUserFlags } from "../rclone/user-flags.ts";
import { type RunConfig, readRunConfig } from "../run/config.ts";
import { noteEvent } from "../run/events.ts";
import { type RunLayout, runLayout } from "../run/layout.ts";
import { requireUnpaused } from "../run/pause.ts";
import { noteSubmission, type SubmissionKind } from "../run/submissions.ts";
import { checkShardKeys } from "../shard/check-keys.ts";
import { readShardsMeta } from "../shard/meta.ts";
import { packArray } from "../slurm/array-limits.ts";
import { logOptions } from "../slurm/batch-script.ts";
import { afterJob, submitScriptIn } from "../slurm/sbatch.ts";
import { readArrayLimits } from "../slurm/scontrol.ts";
import { formatTaskIds } from "../slurm/task-ids.ts";
import { invalidInput, operationFailed } from "../system/errors.ts";
import { stopSignals, throwIfStopped, watchForStop } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { findProgram } from "../system/process.ts";
import { formatShards } from "../system/units.ts";
import { checkAgent } from "./agent-check.ts";
import { checkImageReadable } from "./image-check.ts";

/** A job array of a run. */
interface ArrayOptions {
  now: Date;
  /** A stop before anything is submitted. */
  stop?: AbortSignal;
  /** What its tasks do; copying when it is left out. */
  kind?: SubmissionKind;
  /** More words for each task's agent. */
  agentArgs?: readonly string[];
  /** The shards that are wanted, in any order; all of the run when it is left out. */
  shards?: readonly number[];
  /** The job after whose end the tasks start, however it ends. */
  after?: string | undefined;
}

/** How a run is submitted. */
interface SubmitOptions extends ArrayOptions {
  /** Whether the image is looked at first; false where only the compute nodes see it. */
  imageCheck: boolean;
}

/** The tasks of an array for some shards, or for all. */
interface ArrayPlan {
  taskIds: readonly number[];
  /** The distance from one of a task's shards to the next; undefined where a task carries the shard of its own number. */
  stride: number | undefined;
  /** What the line in submissions.jsonl says: with fewer tasks than shards, the tasks are the stride. */
  numShards: number;
  numTasks: number;
}

/**
 * The tasks that carry these shards, where the cluster takes `most` tasks for all shards of the run:
 *
 * | the run | tasks |
 * |---|---|
 * | has at most so many shards | a task for each shard, of the shard's number |
 * | has more | of the tasks that carry every `most`th shard, those that carry a wanted one; they carry their others, too |
 */
export function planArray(shards: readonly number[], numShards: number, most: number): ArrayPlan {
  if (most >= numShards) {
    const taskIds = [...new Set(shards)].sort((one, other) => one - other);
    return { taskIds, stride: undefined, numShards: taskIds.length, numTasks: taskIds.length };
  }
  const taskIds = [...new Set(shards.map((shard) => shard % most))].sort((one, other) => one - other);
  return { taskIds, stride: most, numShards, numTasks: most };
}

/**
 * Submits a rendered run, or some of its shards, as a Slurm job array, notes the job in submissions.jsonl and events.jsonl,
 * and returns the job id. Throws, and submits nothing, when its tasks could not start, or would not copy since the run is
 * paused.
 */
export async function submitRun(runDir: string, options: SubmitOptions): Promise<string> {
  const { imageCheck, stop } = options;
  const run = runLayout(runDir);
  if ((options.kind ?? "copy") === "copy") requireUnpaused(run);
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
  const warnings = [await checkAgent(run), imageCheck ? checkImageReadable(config) : undefined];
  for (const warning of warnings) if (warning !== undefined) log.warn(warning);
  const meta = readShardsMeta(run.shardsMeta);
  if (meta) await checkShardKeys(run.shardsDir, meta, stop);
  return await submitArray(run, config, options);
}

/** Submits an array over the shards of a run that can start, as `submitRun` does. */
export async function submitArray(
  run: RunLayout,
  config: RunConfig,
  { now, stop, agentArgs = [], kind = "copy", after, shards }: ArrayOptions,
): Promise<string> {
  mkdirSync(run.logsDir, { recursive: true });
  mkdirSync(run.stateDir, { recursive: true });
  const most = packArray(config.num_shards, await readArrayLimits());
  if (most === 0)
    throw operationFailed("the cluster allows no job arrays (MaxArraySize in scontrol show config)");
  const wanted = shards ?? Array.from({ length: config.num_shards }, (_, shard) => shard);
  const { taskIds, stride, numShards, numTasks } = planArray(wanted, config.num_shards, most);
  const isWhole = shards === undefined && stride === undefined;
  const script = readFileSync(run.sbatchScript, "utf8");
  if (stop) throwIfStopped(stop, "nothing was submitted; run the same command again");
  // A signal between sbatch's answer and the note of it would lose the job, and the next start would submit a second array.
  const held = watchForStop(stopSignals);
  try {
    const { jobId, warning } = await submitScriptIn({
      dir: run.dir,
      script: basename(run.sbatchScript),
      options: [
        ...logOptions(script, resolve(run.dir), process.env),
        ...(isWhole ? [] : [`--array=${formatTaskIds(taskIds)}%${config.array_concurrency}`]),
        ...afterJob(after),
      ],
      args: [...(stride === undefined ? [] : ["--stride", String(stride)]), ...agentArgs],
      jobName: config.job_name,
    });
    noteSubmission(run, { jobId, numShards, numTasks, kind, now });
    const does = { copy: "", verify: " to be compared", collect: " to be added up" }[kind];
    const what = `${formatShards(wanted.length)}${does}, in ${taskIds.length} tasks`;
    noteEvent(run, { action: "submitted", jobs: [jobId], detail: what, now });
    if (warning !== undefined) log.warn(warning);
    return jobId;
  } finally {
    held.release();
  }
}
