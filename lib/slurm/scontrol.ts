import { runProgram } from "../system/process.ts";
import { type ArrayLimits, parseArrayLimits } from "./array-limits.ts";
import type { ArrayTask } from "./array-task.ts";
import { type JobEnding, parseJobEnding } from "./job-ending.ts";

/** The cluster's limits for arrays, from `scontrol show config`; Slurm's defaults when it cannot be asked. */
export async function readArrayLimits(): Promise<ArrayLimits> {
  try {
    const result = await runProgram(["scontrol", "show", "config"]);
    return parseArrayLimits(result.code === 0 ? result.stdout : "");
  } catch {
    return parseArrayLimits("");
  }
}

/**
 * Asks Slurm to run one array task again. Returns why Slurm refused, or undefined when it did not. SLURM_JOB_ID must not be
 * used for it: in an array's last task it is the id of the array, and all tasks would be requeued.
 */
export async function requeueTask(task: ArrayTask): Promise<string | undefined> {
  return await askFor(task, "requeue");
}

/**
 * Asks Slurm to put one array task back into the queue, held until it is released. Returns why Slurm refused, or undefined
 * when it did not. The task that asks is sent TERM for it, as for a requeue.
 */
export async function requeueHeld(task: ArrayTask): Promise<string | undefined> {
  return await askFor(task, "requeuehold");
}

/** Lets one array task that is held start again. Returns why Slurm refused, or undefined when it did not. */
export async function releaseTask(task: ArrayTask): Promise<string | undefined> {
  return await askFor(task, "release");
}

async function askFor(task: ArrayTask, what: string): Promise<string | undefined> {
  const id = `${task.arrayJobId}_${task.taskId}`;
  const result = await runProgram(ignoringTerm(["scontrol", what, id]));
  if (result.code === 0) return undefined;
  const said = `${result.stderr} ${result.stdout}`.trim().replace(/\s*\n\s*/g, "; ");
  return `scontrol ${what} ${id} failed (exit code ${result.code}): ${said}`;
}

/** Slurm's description of an array task that it is ending; undefined when it cannot be asked. */
export async function readJobEnding(task: ArrayTask): Promise<JobEnding | undefined> {
  // The TERM whose meaning is asked for may kill the scontrol that asks: ask twice.
  for (let tries = 0; tries < 2; tries++) {
    const id = `${task.arrayJobId}_${task.taskId}`;
    const result = await runProgram(["scontrol", "--oneliner", "show", "job", id], { timeoutMs: 2_000 });
    if (result.code === 0) return parseJobEnding(result.stdout);
  }
  return undefined;
}

/**
 * Keeps a requeued task off these nodes; false when Slurm does not allow it. Slurm changes the nodes only of a task that
 * waits (scontrol(1)). The requeued task may take a moment to end, and is asked for several times.
 */
export async function excludeNodes(task: ArrayTask, nodes: readonly string[]): Promise<boolean> {
  const id = `${task.arrayJobId}_${task.taskId}`;
  const argv = ignoringTerm(["scontrol", "update", `JobId=${id}`, `ExcNodeList=${nodes.join(",")}`]);
  for (let tries = 0; tries < excludeTriesMax; tries++) {
    if ((await runProgram(argv, { timeoutMs: 10_000 })).code === 0) return true;
    await Bun.sleep(excludeWaitMs);
  }
  return false;
}

const excludeTriesMax = 6;

const excludeWaitMs = 500;

/** How many nodes a partition has; undefined when Slurm does not say. */
export async function countNodes(partition: string): Promise<number | undefined> {
  const result = await runProgram(["scontrol", "show", "partition", partition], { timeoutMs: 10_000 });
  const total = /\bTotalNodes=(\d+)/.exec(result.stdout)?.[1];
  return total === undefined ? undefined : Number(total);
}

/**
 * Runs a command that ignores TERM. Slurm sends TERM to every process of a task that it requeues, including the scontrol that
 * asked for the requeue.
 */
function ignoringTerm(argv: readonly string[]): string[] {
  return ["sh", "-c", 'trap "" TERM; exec "$@"', "sh", ...argv];
}
