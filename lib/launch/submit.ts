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
import { type ArrayPlan, planArray } from "../slurm/array-limits.ts";
import { logOptions } from "../slurm/batch-script.ts";
import { afterJob, submitScriptIn } from "../slurm/sbatch.ts";
import { readArrayLimits } from "../slurm/scontrol.ts";
import { invalidInput, operationFailed } from "../system/errors.ts";
import { stopSignals, throwIfStopped, watchForStop } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { formatNumberList } from "../system/number-list.ts";
import { findProgram } from "../system/process.ts";
import { formatShards } from "../system/units.ts";
import { checkAgent } from "./agent-check.ts";
import { findBeforeSubmit, settleFailures, warned } from "./before-submit.ts";
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
  /** The job after whose end the tasks start, however it ends. */
  after?: string | undefined;
  /** The shards to submit, in any order; all when it is left out. */
  shards?: readonly number[] | undefined;
  /** Which shards are done: a packed task may carry them, as they cost nothing. */
  isDone?: (shard: number) => boolean;
  /** Called when nothing speaks against the submission any more, right before sbatch is. */
  beforeSubmit?: () => void;
  /** Whether the submission is no event of its own, but a part of one that the caller notes. */
  isPart?: boolean;
}

/** How a run is submitted. */
interface SubmitOptions extends ArrayOptions {
  /** Whether the image is looked at first; false where only the compute nodes see it. */
  imageCheck: boolean;
  /** Whether it is submitted although a check says that it cannot work; undefined where a command has no --force. */
  force?: boolean;
  /** The configuration that the tasks will read, when `beforeSubmit` is to write another than is there. */
  config?: RunConfig;
}

/** A job array that was submitted. */
export interface SubmittedArray extends ArrayPlan {
  jobId: string;
}

/**
 * Submits a rendered run as a Slurm job array, notes the job in submissions.jsonl and events.jsonl, and returns the job id.
 * Throws, and submits nothing, when its tasks could not start, or would not copy since the run is paused.
 */
export async function submitRun(runDir: string, options: SubmitOptions): Promise<string> {
  return (await submitShards(runDir, options)).jobId;
}

/** Submits all shards of a rendered run, or some, as submitRun does, and says which tasks the array has. */
export async function submitShards(runDir: string, options: SubmitOptions): Promise<SubmittedArray> {
  const run = runLayout(runDir);
  if ((options.kind ?? "copy") === "copy") requireUnpaused(run);
  const config = options.config ?? readRunConfig(run.config);
  await checkSubmission(run, config, options);
  return await submitArray(run, config, options);
}

/** Submits an array over shards of a run that can start, as submitShards does. */
export async function submitArray(
  run: RunLayout,
  config: RunConfig,
  options: ArrayOptions,
): Promise<SubmittedArray> {
  mkdirSync(run.logsDir, { recursive: true });
  mkdirSync(run.stateDir, { recursive: true });
  const all = Array.from({ length: config.num_shards }, (_, shard) => shard);
  const shards = options.shards ? [...new Set(options.shards)].sort((a, b) => a - b) : all;
  const plan = planArray(shards, config.num_shards, await readArrayLimits(), options.isDone);
  if (plan === undefined)
    throw operationFailed("the cluster allows no job arrays (MaxArraySize in scontrol show config)");
  const script = readFileSync(run.sbatchScript, "utf8");
  const { stop } = options;
  if (stop) throwIfStopped(stop, "nothing was submitted; run the same command again");
  // A signal between sbatch's answer and the note of it would lose the job, and the next start would submit a second array.
  const held = watchForStop(stopSignals);
  try {
    options.beforeSubmit?.();
    const { jobId, warning } = await submitScriptIn({
      dir: run.dir,
      script: basename(run.sbatchScript),
      options: [
        ...logOptions(script, resolve(run.dir), process.env),
        ...arrayOption(plan, config, options.shards !== undefined),
        ...afterJob(options.after),
      ],
      args: [...agentWords(plan, shards), ...(options.agentArgs ?? [])],
      jobName: config.job_name,
    });
    const carried = plan.stride === null ? shards.length : config.num_shards;
    noteSubmission(run, {
      ...{ jobId, kind: options.kind, numShards: carried, numTasks: plan.stride ?? plan.tasks.length },
      now: options.now,
    });
    if (!options.isPart) noteArray(run, jobId, shards.length, plan.tasks.length, options);
    if (warning !== undefined) log.warn(warning);
    return { jobId, ...plan };
  } finally {
    held.release();
  }
}

/** Notes that an array was submitted. */
function noteArray(
  run: RunLayout,
  jobId: string,
  shards: number,
  tasks: number,
  { kind = "copy", now }: ArrayOptions,
): void {
  const does = { copy: "", verify: " to be compared", collect: " to be added up" }[kind];
  const detail = `${formatShards(shards)}${does}, in ${tasks} tasks`;
  noteEvent(run, { action: "submitted", jobs: [jobId], detail, now });
}

/** sbatch's --array, where the script's own is not the one. */
function arrayOption(
  { tasks, stride }: ArrayPlan,
  { array_concurrency }: RunConfig,
  isPart: boolean,
): string[] {
  return isPart || stride !== null ? [`--array=${formatNumberList(tasks)}%${array_concurrency}`] : [];
}

/** The words by which an agent knows the shards of its task, where that is not the one of its number. */
function agentWords({ stride, carriesMore }: ArrayPlan, shards: readonly number[]): string[] {
  if (stride === null) return [];
  return ["--stride", String(stride), ...(carriesMore ? ["--only", formatNumberList(shards)] : [])];
}

/** Throws when the tasks of a submission could not start; warns of what they may not be able to. */
async function checkSubmission(
  run: RunLayout,
  config: RunConfig,
  { imageCheck, force, stop }: SubmitOptions,
): Promise<void> {
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
}
