import { messageOf, operationFailed } from "../system/errors.ts";
import { findProgram, runProgram } from "../system/process.ts";
import { type JobEnding, parseJobEnding } from "./job.ts";
import { type ArrayLimits, parseArrayLimits } from "./limits.ts";

/** An array task of a Slurm job. */
export interface ArrayTask {
  arrayJobId: string;
  taskId: number;
}

/** The array task that this process is, from the environment that slurmd sets; undefined outside an array. */
export function currentArrayTask(env: Readonly<Record<string, string | undefined>>): ArrayTask | undefined {
  const { SLURM_ARRAY_JOB_ID: arrayJobId, SLURM_ARRAY_TASK_ID: taskId } = env;
  if (!arrayJobId || !taskId || !/^\d+$/.test(arrayJobId) || !/^\d+$/.test(taskId)) return undefined;
  return { arrayJobId, taskId: Number(taskId) };
}

/**
 * Reads the job id from what `sbatch --parsable` prints: "123" or "123;cluster".
 * Throws, quoting the text, when it is neither.
 */
export function parseSubmittedJobId(stdout: string): string {
  const match = /^(\d+)(?:;\S+)?$/.exec(stdout.trim());
  if (!match?.[1]) throw operationFailed(`sbatch printed no job id: ${JSON.stringify(stdout.trim())}`);
  return match[1];
}

/** Throws, naming where it was looked for, when there is no sbatch. */
export function requireSbatch(): void {
  findProgram("sbatch");
}

/**
 * Submits a batch script from its own directory, with more options before it and arguments after it, and returns the
 * job id. Throws with what sbatch said.
 */
export async function submitScriptIn(
  dir: string,
  script: string,
  more: { options: readonly string[]; args: readonly string[] },
): Promise<string> {
  // --export=NONE: the submitter's SLURM_MEM_* would otherwise fight with the script's --mem (sbatch(1)).
  const result = await runProgram(
    ["sbatch", "--parsable", "--export=NONE", ...more.options, script, ...more.args],
    { cwd: dir },
  );
  if (result.code !== 0) {
    throw operationFailed(
      `sbatch failed (exit code ${result.code}): ${result.stderr.trim().replace(/\s*\n\s*/g, "; ")}`,
    );
  }
  return parseSubmittedJobId(result.stdout);
}

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

/**
 * Sends TERM to the steps of one array task, not to its batch script; returns why Slurm did not take it, if it did not.
 * An srun that is itself sent TERM kills its step at once instead (seen with 22.05).
 */
export async function terminateSteps(task: ArrayTask): Promise<string | undefined> {
  const id = `${task.arrayJobId}_${task.taskId}`;
  const argv = ["scancel", "--signal=TERM", id];
  try {
    let result = await runProgram(argv, { timeoutMs: 5_000 });
    // A busy controller may turn the first one away, and there is time: the lead before the limit.
    if (result.code !== 0) result = await runProgram(argv, { timeoutMs: 5_000 });
    if (result.code === 0) return undefined;
    return `${argv.join(" ")} failed (exit code ${result.code}): ${result.stderr.trim()}`;
  } catch (error) {
    return messageOf(error);
  }
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
