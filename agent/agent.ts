import { hostname } from "node:os";
import { resolve } from "node:path";
import { readShardsMeta } from "../lib/manifest/shards-meta.ts";
import { readRunConfig } from "../lib/run/config.ts";
import { runLayout } from "../lib/run/layout.ts";
import { submissionVariable } from "../lib/run/local-executor.ts";
import { currentArrayTask, requeueTask } from "../lib/slurm/scheduler.ts";
import { type ExitCode, exitCodes, invalidInput } from "../lib/system/errors.ts";
import { stopExitCode, stopReason, watchForStop } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { runShard } from "./shard.ts";

/** What the array task is asked to do. */
export interface AgentOptions {
  runDir: string;
  /** The shard, where no Slurm array says it. */
  shard: number | undefined;
}

/**
 * The array task: one attempt at its shard, then a requeue of this task alone when that can help.
 * Returns 0 when every record of the shard is proven, 1 when the shard has failed for good, 75 when it goes on in a
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
  const task = currentArrayTask(process.env);
  const shard = options.shard ?? task?.taskId;
  if (shard === undefined) throw invalidInput("--shard is needed outside a Slurm array task");
  if (shard >= meta.num_shards) {
    throw invalidInput(`there is no shard ${shard}: the run has the shards 0 to ${meta.num_shards - 1}`);
  }
  const inherited = process.env[submissionVariable];
  const watch = watchForStop(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"]);
  if (inherited !== undefined) process.stdin.on("close", () => watch.stop("parent-gone")).resume();
  try {
    const outcome = await runShard({
      run,
      config,
      meta,
      shard,
      submission: task ? `slurm:${task.arrayJobId}` : (inherited ?? `hand:${new Date().toISOString()}`),
      node: process.env.SLURMD_NODENAME ?? hostname(),
      arrayTask: task,
      stop: watch.signal,
    });
    if (outcome === "done") return exitCodes.done;
    if (outcome === "failed") return exitCodes.failed;
    const reason = stopReason(watch.signal);
    // After TERM it is Slurm that decides: it requeues what it preempts, and a cancelled task must stay cancelled.
    if (task && (outcome === "retry" || reason === "SIGUSR1")) {
      const refused = await requeueTask(task);
      if (refused) {
        log.error(refused);
        return exitCodes.failed;
      }
      log.info(`shard ${shard}: array task ${task.arrayJobId}_${task.taskId} requeued`);
    }
    return reason === undefined ? exitCodes.resumable : stopExitCode(reason);
  } finally {
    watch.release();
    process.stdin.destroy();
  }
}
