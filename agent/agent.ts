import { hostname } from "node:os";
import { resolve } from "node:path";
import type { ChecksumMode } from "../lib/compare/verify-rule.ts";
import { type RunConfig, readRunConfig } from "../lib/run/config.ts";
import { type RunLayout, runLayout, shardLayout } from "../lib/run/layout.ts";
import { pauseOf, watchForPause } from "../lib/run/pause.ts";
import { requireSameRoots, rootsOfShards } from "../lib/run/roots.ts";
import { submissionVariable } from "../lib/run/submissions.ts";
import { requireShardsMeta, type ShardsMeta } from "../lib/shard/meta.ts";
import { checkShardDigest } from "../lib/shard/records.ts";
import { shardsOfTask } from "../lib/slurm/array-limits.ts";
import { type ArrayTask, currentArrayTask } from "../lib/slurm/array-task.ts";
import { type ExitCode, exitCodes, invalidInput, XferError } from "../lib/system/errors.ts";
import { type StopWatch, sleep, stopReason, watchForStop } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { shardIsVerified } from "../lib/verify/shard-verification.ts";
import { verifyShard } from "../lib/verify/verify-shard.ts";
import { avoidableNodes } from "./decide/nodes.ts";
import type { ShardOutcome } from "./ledger.ts";
import { finish, nodesOfPartition, waitSeconds } from "./requeue.ts";
import { runShard } from "./shard.ts";
import type { ShardTask } from "./shard-task.ts";
import { causeOf, meaningOfStop } from "./stop-meaning.ts";

/** The job of the array task. */
export interface AgentOptions {
  runDir: string;
  /** The first shard, where no Slurm array says it. */
  shard: number | undefined;
  /** The distance from one of the task's shards to the next: the number of tasks, where there are fewer than shards. */
  stride: number | undefined;
  /** The shards that the array was submitted for; undefined for all. */
  only: readonly number[] | undefined;
  /** Verifies the shards with this strictness, instead of copying them. */
  verify: ChecksumMode | undefined;
}

type Environment = ShardTask["env"];

/** The run that the agent works on, as its run directory describes it. */
interface OpenedRun {
  run: RunLayout;
  config: RunConfig;
  meta: ShardsMeta;
}

/**
 * The array task: one attempt at its shards, then a requeue of this task alone when that can help.
 * Returns 0 when every record of them is proven, 1 when a shard has failed for good, 75 when it goes on in a
 * later start (requeued under Slurm; held there while the run is paused), 130 after an interrupt. Throws XferError for a
 * run that cannot be read.
 */
export async function runAgent(options: AgentOptions, env: Environment = process.env): Promise<ExitCode> {
  const opened = await openRun(resolve(options.runDir));
  const task = currentArrayTask(env);
  const shards = shardsToRun(options, task, opened.meta);
  const inherited = env[submissionVariable];
  const watch = watchForStop(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"]);
  if (inherited !== undefined) process.stdin.on("close", () => watch.stop("parent-gone")).resume();
  try {
    if (options.verify !== undefined) {
      return await verifyShards(shards, { ...opened, checksum: options.verify, stop: watch.signal });
    }
    return await copyShards(shards, opened, { task, env, watch });
  } finally {
    watch.release();
    // Paused, not destroyed: a stdin that is destroyed before its first read keeps the process alive.
    if (inherited !== undefined) process.stdin.pause().unref();
  }
}

/** Reads what a run directory says of its run, and checks that all of it is of one run. */
async function openRun(runDir: string): Promise<OpenedRun> {
  const run = runLayout(runDir);
  const config = readRunConfig(run.config);
  const meta = requireShardsMeta(run.shardsMeta);
  if (meta.num_shards !== config.num_shards) {
    throw invalidInput(
      `${run.config}: was rendered for ${config.num_shards} shards, but ${run.shardsMeta} has ${meta.num_shards}: render again`,
    );
  }
  requireSameRoots(
    { path: run.shardsMeta, roots: await rootsOfShards(run, meta) },
    { path: run.config, roots: config },
    "render the run again",
  );
  return { run, config, meta };
}

function shardsToRun(
  { shard, stride, only }: AgentOptions,
  task: ArrayTask | undefined,
  meta: ShardsMeta,
): readonly number[] {
  const first = shard ?? task?.taskId;
  if (first === undefined) throw invalidInput("--shard is needed outside a Slurm array task");
  if (first >= meta.num_shards) {
    throw invalidInput(`there is no shard ${first}: the run has the shards 0 to ${meta.num_shards - 1}`);
  }
  const own = stride === undefined ? [first] : shardsOfTask(first, stride, meta.num_shards);
  return only === undefined ? own : own.filter((one) => only.includes(one));
}

/** Makes an attempt at each shard, waits where the store throttles, and asks for the requeue. */
async function copyShards(
  shards: readonly number[],
  opened: OpenedRun,
  { task, env, watch }: { task: ArrayTask | undefined; env: Environment; watch: StopWatch },
): Promise<ExitCode> {
  using _pause = watchForPause(opened.run, () => {
    log.info("the run is paused: stopping");
    watch.stop("paused");
  });
  const own = env[submissionVariable] ?? `hand:${new Date().toISOString()}`;
  const meaning = once(() => meaningOfStop(task, stopReason(watch.signal), env));
  const outcomes = await runShards(shards, {
    ...opened,
    submission: task ? `slurm:${task.arrayJobId}` : own,
    node: env.SLURMD_NODENAME ?? hostname(),
    arrayTask: task,
    env,
    stop: watch.signal,
    stopCause: async () => causeOf[await meaning()],
    avoidableNodes: async () => (task ? avoidableNodes(await nodesOfPartition(env)) : 0),
  });
  const wait = waitSeconds(outcomes, opened.config, env);
  if (wait > 0) {
    log.info(`throttled: waiting ${Math.round(wait)}s before another attempt`);
    await sleep(wait * 1000, watch.signal);
  }
  const reason = stopReason(watch.signal);
  const isPaused = () => pauseOf(opened.run) !== undefined;
  return await finish(outcomes, { task, reason, meaning: reason && (await meaning()), isPaused });
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Runs shards one after the other. A shard that fails does not keep the next from running; a stop does. */
async function runShards(shards: readonly number[], task: Omit<ShardTask, "shard">): Promise<ShardOutcome[]> {
  const outcomes: ShardOutcome[] = [];
  let firstError: unknown;
  for (const shard of shards) {
    if (task.stop.aborted) {
      outcomes.push({ kind: "stopped" });
      break;
    }
    try {
      outcomes.push(await runShard({ ...task, shard }));
    } catch (error) {
      if (!(error instanceof XferError)) throw error;
      // The first one is told where it ends the task.
      if (firstError !== undefined) log.error(error.message);
      firstError ??= error;
    }
  }
  if (firstError !== undefined) throw firstError;
  return outcomes;
}

/** Verifies shards one after the other; each leaves its verdict in the state directory. */
async function verifyShards(
  shards: readonly number[],
  task: OpenedRun & { checksum: ChecksumMode; stop: AbortSignal },
): Promise<ExitCode> {
  let verified = true;
  for (const shard of shards) {
    const entry = task.meta.shards[shard];
    if (!entry) continue;
    await checkShardDigest(shardLayout(task.run, shard).records, entry.sha256);
    const result = await verifyShard({ ...task, shard, entry, now: new Date() });
    const { hash_proven, size_only, missing, differs } = result;
    log.info(
      `shard ${shard}: ${hash_proven} hash-proven, ${size_only} size-only, ${missing} missing, ${differs} differ`,
    );
    if (!shardIsVerified(result)) verified = false;
  }
  return verified ? exitCodes.done : exitCodes.failed;
}
