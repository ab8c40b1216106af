import { runProgram } from "../system/process.ts";
import { type ArrayLimits, parseArrayLimits } from "./array-limits.ts";
import type { ArrayTask } from "./array-task.ts";
import { type JobEnding, parseJobEnding } from "./job-ending.ts";

/** What `scontrol show config` says of arrays; Slurm's defaults when it cannot be asked. */
export async function readArrayLimits(): Promise<ArrayLimits> {
  try {
    const result = await runProgram(["scontrol", "show", "config"]);
    return parseArrayLimits(result.code === 0 ? result.stdout : "");
  } catch {
    return parseArrayLimits("");
  }
}

/**
 * Asks Slurm to run one array task again. Never by SLURM_JOB_ID: in an array's last task it is the array's own id, and
 * would requeue every task. Returns why it was refused, or undefined when it was granted.
 */
export async function requeueTask(task: ArrayTask): Promise<string | undefined> {
  const id = `${task.arrayJobId}_${task.taskId}`;
  const result = await runProgram(heedless(["scontrol", "requeue", id]));
  if (result.code === 0) return undefined;
  const said = `${result.stderr} ${result.stdout}`.trim().replace(/\s*\n\s*/g, "; ");
  return `scontrol requeue ${id} failed (exit code ${result.code}): ${said}`;
}

/** What Slurm says of an array task that it is ending; undefined when it cannot be asked. */
export async function readJobEnding(task: ArrayTask): Promise<JobEnding | undefined> {
  // The TERM that is being looked into may hit the question too: ask twice.
  for (let tries = 0; tries < 2; tries++) {
    const id = `${task.arrayJobId}_${task.taskId}`;
    const result = await runProgram(["scontrol", "--oneliner", "show", "job", id], { timeoutMs: 2_000 });
    if (result.code === 0) return parseJobEnding(result.stdout);
  }
  return undefined;
}

/**
 * Keeps a requeued task off these nodes; false when Slurm does not allow it. Only a task that waits can be told (scontrol
 * (1)), and this one is only just being ended: so ask for a while.
 */
export async function excludeNodes(task: ArrayTask, nodes: readonly string[]): Promise<boolean> {
  const id = `${task.arrayJobId}_${task.taskId}`;
  const argv = heedless(["scontrol", "update", `JobId=${id}`, `ExcNodeList=${nodes.join(",")}`]);
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

/** A requeue sends TERM to every process of the task, and so to the very scontrol that asks for it: let it finish. */
function heedless(argv: readonly string[]): string[] {
  return ["sh", "-c", 'trap "" TERM; exec "$@"', "sh", ...argv];
}
