import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { ChecksumMode } from "../compare/verify-rule.ts";
import { readRunConfig } from "../run/config.ts";
import { isWholeManifest } from "../run/delta-totals.ts";
import { noteEvent } from "../run/events.ts";
import { type RunLayout, runLayout } from "../run/layout.ts";
import { noteSubmission, readSubmissions } from "../run/submissions.ts";
import { requireShardsMeta } from "../shard/meta.ts";
import { logOptions } from "../slurm/batch-script.ts";
import { afterJob, submitScriptIn } from "../slurm/sbatch.ts";
import { removeIfExists } from "../system/durable.ts";
import { errnoOf, invalidInput, messageOf, XferError } from "../system/errors.ts";
import { stopSignals, watchForStop } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { findProgram } from "../system/process.ts";
import { quoteWord } from "../system/shell-words.ts";
import { submitArray, submitRun } from "./submit.ts";

/** How the destination is compared in the queue. */
export interface ProofOptions {
  now: Date;
  checksum: ChecksumMode;
  /** The job after whose end this one starts, however it ends. */
  after?: string | undefined;
  /** Whether what cannot be carried is no failure of the job that adds up. */
  allowsUntransferable: boolean;
}

/** The jobs of a run that is proven in the queue. */
export interface PipelineJobs {
  /** The array that copies. */
  jobId: string;
  /** The array that compares; null where none was submitted, and for a delta, which is compared whole. */
  verifyJobId: string | null;
  /** The job that adds up; null where it was not submitted. */
  collectJobId: string | null;
  /** Which job is not in the queue, why, and how it is submitted alone; undefined when all are. */
  problem: string | undefined;
}

/** Submits the array in which each task compares its shards with the destination, and returns its job id. */
export async function submitVerification(
  runDir: string,
  { now, checksum, after, imageCheck }: Omit<ProofOptions, "allowsUntransferable"> & { imageCheck: boolean },
): Promise<string> {
  forgetVerification(runLayout(runDir));
  return submitRun(runDir, { ...verifyingArray(checksum), now, imageCheck, after });
}

const verifyingArray = (checksum: ChecksumMode) =>
  ({ kind: "verify", agentArgs: ["--verify", checksum] }) as const;

/**
 * Removes what earlier verifications have found: a task that never starts would otherwise be taken for one that has found
 * the same again.
 */
function forgetVerification(run: RunLayout): void {
  removeIfExists(run.verifyTotals);
  if (!existsSync(run.stateDir)) return;
  for (const name of readdirSync(run.stateDir)) {
    if (/^shard_\d+\.verify$/.test(name)) removeIfExists(join(run.stateDir, name));
  }
}

/**
 * Submits the job that adds up what the array has found, or compares the whole run where its shards are of a delta, and
 * returns its id. It starts after `after`, else after the verifying array that was submitted last.
 */
export async function submitCollection(
  runDir: string,
  { now, checksum, after, allowsUntransferable }: ProofOptions,
): Promise<string> {
  const run = runLayout(runDir);
  const config = readRunConfig(run.config);
  const isWhole = isWholeManifest(run, requireShardsMeta(run.shardsMeta));
  const array = readSubmissions(run).findLast(({ kind }) => kind === "verify")?.job_id;
  if (isWhole && after === undefined && array === undefined) {
    throw invalidInput(
      `${run.submissions}: no array that compares was submitted: xfer verify --executor slurm`,
    );
  }
  findProgram("sbatch");
  mkdirSync(run.logsDir, { recursive: true });
  const script = readFileSync(run.sbatchScript, "utf8");
  const held = watchForStop(stopSignals);
  try {
    const { jobId, warning } = await submitScriptIn({
      dir: run.dir,
      script: basename(run.sbatchScript),
      // The script is of an array: one of a single task is the least that it can be.
      options: [
        ...logOptions(script, resolve(run.dir), process.env),
        "--array=0",
        ...afterJob(after ?? (isWhole ? array : undefined)),
      ],
      args: ["--collect", "--verify", checksum, ...(allowsUntransferable ? ["--allow-untransferable"] : [])],
      jobName: config.job_name,
    });
    noteSubmission(run, { jobId, numShards: config.num_shards, numTasks: 1, kind: "collect", now });
    noteEvent(run, { action: "submitted", jobs: [jobId], detail: "the verification, to be added up", now });
    if (warning !== undefined) log.warn(warning);
    return jobId;
  } finally {
    held.release();
  }
}

/**
 * Submits the array that copies and, each after the one before it, the array that compares and the job that adds up. Throws
 * only when the first is not submitted: it goes on whatever becomes of the others.
 */
export async function submitPipeline(
  runDir: string,
  options: Omit<ProofOptions, "after"> & { imageCheck: boolean; force?: boolean; stop?: AbortSignal },
): Promise<PipelineJobs> {
  const { stop: _, ...later } = options;
  // A signal between two submissions would leave the proof out: once the first is made, so are the others.
  const held = watchForStop(stopSignals);
  try {
    return await submitProofOf(runDir, await submitRun(runDir, options), later);
  } finally {
    held.release();
  }
}

/**
 * Submits the array that compares and the job that adds up behind an array that copies. Never throws for what keeps them out
 * of the queue: `problem` says it.
 */
export async function submitProofOf(
  runDir: string,
  jobId: string,
  options: Omit<ProofOptions, "after">,
): Promise<PipelineJobs> {
  const run = runLayout(runDir);
  const held = watchForStop(stopSignals);
  try {
    const jobs: PipelineJobs = { jobId, verifyJobId: null, collectJobId: null, problem: undefined };
    const alone = `xfer verify --run-dir ${quoteWord(runDir)} --executor slurm`;
    const collectAlone = `${alone} --collect`;
    let after = jobId;
    let hint = `${alone} --after ${jobId} && ${collectAlone}`;
    try {
      if (isWholeManifest(run, requireShardsMeta(run.shardsMeta))) {
        forgetVerification(run);
        const config = readRunConfig(run.config);
        const verifying = await submitArray(run, config, {
          ...options,
          ...verifyingArray(options.checksum),
          after,
        });
        after = verifying.jobId;
        jobs.verifyJobId = after;
        hint = collectAlone;
      } else hint = `${collectAlone} --after ${jobId}`;
      jobs.collectJobId = await submitCollection(runDir, { ...options, after });
    } catch (error) {
      if (!(error instanceof XferError) && errnoOf(error) === undefined) throw error;
      const what = jobs.verifyJobId === null ? "the verification" : "the adding up of the verification";
      jobs.problem = `job ${jobId} copies, but ${what} was not submitted: ${messageOf(error)}; submit it alone with: ${hint}`;
    }
    return jobs;
  } finally {
    held.release();
  }
}
