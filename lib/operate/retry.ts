import { renameSync } from "node:fs";
import { type RunEnd, runHere } from "../launch/run-here.ts";
import { type SubmittedArray, submitShards } from "../launch/submit.ts";
import { type PipelineJobs, submitProofOf } from "../launch/submit-proof.ts";
import { type RunConfig, readRunConfig, writeRunConfig } from "../run/config.ts";
import { noteEvent } from "../run/events.ts";
import { type RunLayout, runLayout, shardLayout } from "../run/layout.ts";
import { requireUnpaused } from "../run/pause.ts";
import type { RunProgress } from "../run/snapshot.ts";
import { pastFailPath } from "../run/state/fail.ts";
import { requireShardsMeta, type ShardsMeta } from "../shard/meta.ts";
import { errnoOf, invalidInput, operationFailed } from "../system/errors.ts";
import { log } from "../system/log.ts";
import { formatNumberList } from "../system/number-list.ts";
import { findProgram } from "../system/process.ts";
import { quoteWord, quoteWords } from "../system/shell-words.ts";
import { formatShards } from "../system/units.ts";
import { type ConfigChange, changedConfig, requireConfHere } from "./changed-config.ts";
import { type RunFacts, readShards } from "./read-shards.ts";
import { pickShards, type RetryFilter, type RetryPick } from "./shard-standing.ts";

/** What is to be tried again, and how. */
export interface RetryOptions {
  runDir: string;
  filter: RetryFilter;
  change: ConfigChange;
  imageCheck: boolean;
  /** Whether they are submitted although a check says that it cannot work. */
  force: boolean;
  /** How the job judges that adds up the comparison behind the array; undefined where none is submitted. */
  verify: { allowsUntransferable: boolean } | undefined;
  now: Date;
  stop: AbortSignal;
  /** The command that `agent` and its flags follow, where the shards are run on this machine. */
  command: readonly [string, ...string[]];
  onProgress: (progress: RunProgress) => void;
}

/** What came of it. `busy` are shards that somebody is at work on, and which were left alone. */
export type RetryEnd = { runDir: string; shards: number[]; busy: number[] } & (
  | { kind: "nothing"; wasStarted: boolean }
  | { kind: "submitted"; config: RunConfig; array: SubmittedArray; proof: PipelineJobs | undefined }
  | { kind: "ran"; config: RunConfig; end: RunEnd }
);

interface Retry {
  options: RetryOptions;
  run: RunLayout;
  config: RunConfig;
  facts: RunFacts;
  pick: RetryPick;
}

/**
 * Tries the shards again that have failed, or with which nothing goes on any more: by an array of these shards alone, or on
 * this machine where the run has no job or there is no sbatch. What is proven stays proven. Throws, and does nothing, while
 * a shard that is named is at work or in the queue, and for a run that is paused.
 */
export async function retryShards(options: RetryOptions): Promise<RetryEnd> {
  const { runDir, filter, change, now } = options;
  const run = runLayout(runDir);
  const config = readRunConfig(run.config);
  const meta = requireShardsMeta(run.shardsMeta);
  checkNamed(filter, meta);
  requireUnpaused(run);
  const facts = await readShards(run, meta, now.getTime());
  const wasStarted = facts.jobs.length > 0 || facts.shards.some((shard) => shard.isDone || shard.wasStarted);
  const pick = wasStarted ? pickShards(facts.shards, filter) : { picked: [], busy: [] };
  const { picked: shards, busy } = pick;
  const isHere = facts.jobs.length === 0 || !hasSbatch();
  if (!isHere && facts.queue === undefined) {
    throw operationFailed(`squeue does not say which tasks of ${runDir} are in the queue: try again`);
  }
  if (filter.shards && busy.length > 0) throw busyError(runDir, busy, facts);
  if (shards.length === 0) return { runDir, shards, busy, kind: "nothing", wasStarted };
  if (options.verify) requireProvable(runDir, facts, isHere);
  const changed = changedConfig(config, change, isHere ? process.env : {});
  requireQuiet(options, facts);
  if (changed.warning !== undefined) log.warn(changed.warning);
  const retry = { options, run, config: changed.config, facts, pick };
  return isHere ? await runAgain(retry) : await submitAgain(retry);
}

function hasSbatch(): boolean {
  try {
    findProgram("sbatch");
    return true;
  } catch {
    return false;
  }
}

function checkNamed({ shards }: RetryFilter, meta: ShardsMeta): void {
  const foreign = [...(shards ?? [])].find((shard) => shard >= meta.num_shards);
  if (foreign === undefined) return;
  throw invalidInput(`--shards: there is no shard ${foreign}: the run has 0 to ${meta.num_shards - 1}`);
}

function busyError(runDir: string, busy: readonly number[], { queue }: RunFacts): Error {
  const jobs = [...new Set(queue?.map(({ jobId }) => jobId))];
  const where = jobs.length === 0 ? "" : ` (job ${jobs.join(", ")})`;
  const dir = quoteWord(runDir);
  return invalidInput(
    `${busy.length === 1 ? "shard" : "shards"} ${formatNumberList(busy)} ${busy.length === 1 ? "is" : "are"} running or in the queue${where}: nothing was ` +
      `done: wait (xfer wait --run-dir ${dir}), or stop them first (xfer cancel --run-dir ${dir})`,
  );
}

/** Throws where a comparison behind the array would be too early, or has nothing to wait for. */
function requireProvable(runDir: string, { shards }: RunFacts, isHere: boolean): void {
  const dir = quoteWord(runDir);
  if (isHere) {
    throw invalidInput(
      `--verify is for shards that are submitted, and these are tried again here: xfer verify --run-dir ${dir} follows`,
    );
  }
  const busy = shards.flatMap(({ isBusy }, shard) => (isBusy ? [shard] : []));
  if (busy.length === 0) return;
  throw invalidInput(
    `--verify: ${formatShards(busy.length)} (${formatNumberList(busy)}) would be compared before its end: nothing was done: ` +
      `wait (xfer wait --run-dir ${dir}), or leave it out`,
  );
}

/** Throws while agents could read the configuration that is about to change. */
function requireQuiet({ change, runDir }: RetryOptions, facts: RunFacts): void {
  if (change.maxAttempts === undefined && change.rcloneFlags === undefined) return;
  const busy = facts.shards.flatMap(({ isBusy }, shard) => (isBusy ? [shard] : []));
  if (busy.length === 0 && (facts.queue ?? []).length === 0) return;
  const dir = quoteWord(runDir);
  throw invalidInput(
    "--max-attempts and --rclone-flags change what all agents of a run are told, and tasks of it are running or in " +
      `the queue: nothing was done: wait (xfer wait --run-dir ${dir}), stop them first (xfer cancel --run-dir ${dir}), ` +
      "or leave these flags out",
  );
}

async function submitAgain({ options, run, config, facts, pick }: Retry): Promise<RetryEnd> {
  const { runDir, imageCheck, force, now, stop } = options;
  const { picked: shards, busy } = pick;
  let undo = () => {};
  const array = await submitShards(runDir, {
    ...{ now, imageCheck, force, stop, config, shards, isPart: true },
    isDone: (shard) => facts.shards[shard]?.isDone ?? false,
    beforeSubmit: () => {
      undo = setAside(run, shards, facts);
      changeConfig(run, config, options);
    },
  }).catch((error: unknown) => {
    undo();
    throw error;
  });
  note(run, options, shards, [array.jobId]);
  const proof =
    options.verify &&
    (await submitProofOf(runDir, array.jobId, { ...options.verify, now, checksum: "auto" }));
  return { runDir, shards, busy, kind: "submitted", config, array, proof };
}

async function runAgain({ options, run, config, facts, pick }: Retry): Promise<RetryEnd> {
  const { runDir, command, stop, onProgress, now } = options;
  const { picked: shards, busy } = pick;
  requireConfHere(config);
  if (facts.jobs.length > 0) {
    const jobs = `job ${facts.jobs.join(", ")}`;
    log.warn(
      `sbatch was not found: the shards run on this machine; whether ${jobs} goes on is not known here`,
    );
  }
  setAside(run, shards, facts);
  changeConfig(run, config, options);
  note(run, options, shards, []);
  const end = await runHere({
    ...{ runDir, command, stop, onProgress },
    concurrency: config.array_concurrency,
    submission: `local:${now.toISOString()}`,
    shards: new Set(shards),
  });
  return { runDir, shards, busy, kind: "ran", config, end };
}

/**
 * Renames the .fail of shards that are tried again, so that they do not count as failed. A crash in between leaves a shard
 * that is lost, which can be tried again as well. Returns what undoes it. Throws when another has just done the same.
 */
function setAside(run: RunLayout, shards: readonly number[], facts: RunFacts): () => void {
  const renamed: [string, string][] = [];
  const undo = () => {
    for (const [from, to] of renamed) renameSync(to, from);
  };
  for (const shard of shards) {
    const fail = facts.shards[shard]?.fail;
    if (fail === undefined) continue;
    const path = shardLayout(run, shard).fail;
    const aside = pastFailPath(path, fail.attempt);
    try {
      renameSync(path, aside);
    } catch (error) {
      undo();
      if (errnoOf(error) !== "ENOENT") throw error;
      throw operationFailed(`shard ${shard}: somebody else has just tried it again: nothing was done`);
    }
    renamed.push([path, aside]);
  }
  return undo;
}

function changeConfig(run: RunLayout, config: RunConfig, { change }: RetryOptions): void {
  if (change.maxAttempts !== undefined || change.rcloneFlags !== undefined)
    writeRunConfig(run.config, config);
}

function note(run: RunLayout, options: RetryOptions, shards: readonly number[], jobs: string[]): void {
  const { filter, change, now } = options;
  const words = [
    `${formatShards(shards.length)}: ${formatNumberList(shards)}`,
    filter.classes ? `of class ${[...filter.classes].join(", ")}` : "",
    change.maxAttempts === undefined ? "" : `--max-attempts ${change.maxAttempts}`,
    change.rcloneFlags === undefined ? "" : `--rclone-flags ${quoteWord(quoteWords(change.rcloneFlags))}`,
    jobs.length === 0 ? "on this machine" : "",
  ];
  noteEvent(run, { action: "retried", jobs, detail: words.filter((word) => word !== "").join("; "), now });
}
