import { hostname } from "node:os";
import { resolve } from "node:path";
import type { ChecksumMode } from "../lib/compare/verify-rule.ts";
import { readRunConfig } from "../lib/run/config.ts";
import { runLayout, shardLayout } from "../lib/run/layout.ts";
import { requireSameRoots, rootsOfShards } from "../lib/run/roots.ts";
import { submissionVariable } from "../lib/run/submissions.ts";
import { readShardsMeta } from "../lib/shard/meta.ts";
import { checkShardDigest } from "../lib/shard/records.ts";
import { shardsOfTask } from "../lib/slurm/array-limits.ts";
import { currentArrayTask } from "../lib/slurm/array-task.ts";
import { type ExitCode, exitCodes, invalidInput, XferError } from "../lib/system/errors.ts";
import { sleep, stopReason, watchForStop } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { shardIsVerified } from "../lib/verify/shard-verification.ts";
import { verifyShard } from "../lib/verify/verify-shard.ts";
import { avoidableNodes } from "./decide/nodes.ts";
import type { ShardOutcome } from "./ledger.ts";
import { finish, nodesOfPartition, waitSeconds } from "./requeue.ts";
import { runShard, type ShardTask } from "./shard.ts";
import { causeOf, meaningOfStop } from "./stop-meaning.ts";

/** What the array task is asked to do. */
export interface AgentOptions {
  runDir: string;
  /** The first shard, where no Slurm array says it. */
  shard: number | undefined;
  /** With more shards than tasks: how many tasks there are, and so the distance to this task's next shard. */
  stride: number | undefined;
  /** Verifies the shards, so strictly, instead of copying them. */
  verify: ChecksumMode | undefined;
}

/**
 * The array task: one attempt at its shards, then a requeue of this task alone when that can help.
 * Returns 0 when every record of them is proven, 1 when a shard has failed for good, 75 when it goes on in a
 * later start (requeued under Slurm), 130 after an interrupt. Throws XferError for a run that cannot be read.
 */
export async function runAgent(options: AgentOptions): Promise<ExitCode> {
  const run = runLayout(resolve(options.runDir));
  const config = readRunConfig(run.config);
  const meta = readShardsMeta(run.shardsMeta);
  if (!meta) throw invalidInput(`${run.shardsMeta}: no such file: shard the manifest first`);
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
  const task = currentArrayTask(process.env);
  const first = options.shard ?? task?.taskId;
  if (first === undefined) throw invalidInput("--shard is needed outside a Slurm array task");
  if (first >= meta.num_shards) {
    throw invalidInput(`there is no shard ${first}: the run has the shards 0 to ${meta.num_shards - 1}`);
  }
  const shards =
    options.stride === undefined ? [first] : shardsOfTask(first, options.stride, meta.num_shards);
  const inherited = process.env[submissionVariable];
  const watch = watchForStop(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"]);
  if (inherited !== undefined) process.stdin.on("close", () => watch.stop("parent-gone")).resume();
  try {
    if (options.verify !== undefined) {
      return await verifyShards(shards, { run, config, meta, checksum: options.verify, stop: watch.signal });
    }
    const meaning = once(() => meaningOfStop(task, stopReason(watch.signal)));
    const outcomes = await runShards(shards, {
      run,
      config,
      meta,
      submission: task ? `slurm:${task.arrayJobId}` : (inherited ?? `hand:${new Date().toISOString()}`),
      node: process.env.SLURMD_NODENAME ?? hostname(),
      arrayTask: task,
      stop: watch.signal,
      stopCause: async () => causeOf[await meaning()],
      avoidableNodes: async () => (task ? avoidableNodes(await nodesOfPartition()) : 0),
    });
    const wait = waitSeconds(outcomes, config);
    if (wait > 0) {
      log.info(`throttled: waiting ${Math.round(wait)}s before another attempt`);
      await sleep(wait * 1000, watch.signal);
    }
    const reason = stopReason(watch.signal);
    return await finish(outcomes, task, reason, reason && (await meaning()));
  } finally {
    watch.release();
    // Destroyed before its first read it would hold the process for ever.
    if (inherited !== undefined) process.stdin.pause().unref();
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Runs shards one after the other; one that fails does not keep the next from running, but a stop does. */
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
      firstError ??= error;
      if (shards.length > 1) log.error(error.message);
    }
  }
  if (firstError !== undefined) throw firstError;
  return outcomes;
}

/** Verifies shards one after the other; each leaves its verdict in the state directory. */
async function verifyShards(
  shards: readonly number[],
  task: Pick<ShardTask, "run" | "config" | "meta" | "stop"> & { checksum: ChecksumMode },
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
