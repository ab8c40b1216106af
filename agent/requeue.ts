import { sortUserFlags } from "../lib/rclone/user-flags.ts";
import type { RunConfig } from "../lib/run/config.ts";
import type { ArrayTask } from "../lib/slurm/array-task.ts";
import { countNodes, excludeNodes, releaseTask, requeueHeld, requeueTask } from "../lib/slurm/scontrol.ts";
import { type ExitCode, exitCodes } from "../lib/system/errors.ts";
import { type StopReason, stopExitCode } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { throttleWaitSeconds } from "./decide/throttle.ts";
import type { ShardOutcome } from "./ledger.ts";
import type { StopMeaning } from "./stop-meaning.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** How many nodes the task could run on; undefined where Slurm does not say. */
export async function nodesOfPartition(env: Environment): Promise<number | undefined> {
  const partition = env.SLURM_JOB_PARTITION;
  return partition === undefined ? undefined : await countNodes(partition);
}

/** Seconds to wait before the throttled shards are tried again: the longest wait of any of them. */
export function waitSeconds(outcomes: readonly ShardOutcome[], config: RunConfig, env: Environment): number {
  const { passWaitSeconds } = sortUserFlags(config.rclone_flags, env);
  const waits = outcomes.map((outcome) =>
    outcome.kind === "retry" && outcome.throttled
      ? throttleWaitSeconds({ spent: outcome.spent, passWaitSeconds, random: Math.random() })
      : 0,
  );
  return Math.max(0, ...waits);
}

/** What ends a task, beside the outcomes of its shards. */
export interface TaskEnd {
  /** Undefined outside an array. */
  task: ArrayTask | undefined;
  /** Why it was asked to stop, and what that means; undefined when it was not. */
  reason: StopReason | undefined;
  meaning: StopMeaning | undefined;
  /** Says whether the run is paused at this moment. */
  isPaused: () => boolean;
}

/** Asks for a requeue where one can help, and returns the exit code of this process. */
export async function finish(outcomes: readonly ShardOutcome[], end: TaskEnd): Promise<ExitCode> {
  const goesOn = outcomes.some(({ kind }) => kind === "retry" || kind === "stopped");
  if (!goesOn) return outcomes.some(({ kind }) => kind === "failed") ? exitCodes.failed : exitCodes.done;
  const { task, reason, meaning } = end;
  // A task that Slurm requeues by itself must not be requeued twice, and a cancelled task must stay cancelled.
  if (task && meaning !== "requeued" && meaning !== "cancelled") {
    const refused = await requeue(task, end);
    if (refused && meaning !== "paused") {
      log.error(refused);
      return exitCodes.failed;
    }
    if (refused) log.warn(`${refused}: xfer resume submits its shards again`);
    const badNodes = outcomes.flatMap((outcome) => (outcome.kind === "retry" ? outcome.badNodes : []));
    if (badNodes.length > 0 && !(await excludeNodes(task, [...new Set(badNodes)]))) {
      log.warn(`Slurm did not take ${badNodes.join(", ")} off the nodes of the task`);
    }
  }
  return reason === undefined ? exitCodes.resumable : stopExitCode(reason);
}

/**
 * Puts the task back into the queue; held while the run is paused, so that it does not start, and is not requeued, again and
 * again. Returns why Slurm refused. A resume that comes between the look and the hold releases nothing of this task: the
 * second look does.
 */
async function requeue(task: ArrayTask, { isPaused }: TaskEnd): Promise<string | undefined> {
  const id = `array task ${task.arrayJobId}_${task.taskId}`;
  if (!isPaused()) {
    const refused = await requeueTask(task);
    if (refused === undefined) log.info(`${id} requeued`);
    return refused;
  }
  const refused = await requeueHeld(task);
  if (refused !== undefined) return refused;
  log.info(`${id} waits, held until xfer resume`);
  return isPaused() ? undefined : await releaseTask(task);
}
