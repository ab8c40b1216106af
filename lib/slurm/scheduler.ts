import { messageOf, operationFailed } from "../system/errors.ts";
import { findProgram, runProgram } from "../system/process.ts";
import { quoteWords } from "../system/shell-words.ts";
import { type JobEnding, parseJobEnding } from "./job.ts";
import { findJobId, outputText } from "./job-id.ts";
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

/** Throws, naming where it was looked for, when there is no sbatch. */
export function requireSbatch(): void {
  findProgram("sbatch");
}

/** A batch script to submit, with more options before it and arguments after it. */
interface Submission {
  dir: string;
  script: string;
  options: readonly string[];
  args: readonly string[];
  /** How the job is called, for who has to look for it. */
  jobName: string;
}

/** What became of a submission. */
interface Submitted {
  jobId: string;
  /** Why it may be doubted all the same. */
  warning: string | undefined;
}

/**
 * Submits a batch script from its own directory. Throws with what sbatch said; where that leaves open whether there is a
 * job, the error says so.
 */
export async function submitScriptIn(submission: Submission): Promise<Submitted> {
  const { dir, script, options, args, jobName } = submission;
  // --export=NONE: the submitter's SLURM_MEM_* would otherwise fight with the script's --mem (sbatch(1)).
  const result = await runProgram(["sbatch", "--parsable", "--export=NONE", ...options, script, ...args], {
    cwd: dir,
  });
  const jobId = findJobId(result);
  const ended = `sbatch ended with exit code ${result.code}`;
  if (jobId !== undefined) {
    // It prints an id only of a job that the controller took: a wrapper failed after it, or --wait was killed.
    const warning = `${ended} after it gave the job id ${jobId}: ${outputText(result)}`;
    return { jobId, warning: result.code === 0 ? undefined : warning };
  }
  if (result.code !== 0 && result.signal === null) {
    throw operationFailed(`sbatch failed (exit code ${result.code}): ${outputText(result)}`);
  }
  throw operationFailed(
    `${ended}, and no one line of what it printed is the job id: the array may have been submitted: ` +
      `look at squeue --name=${quoteWords([jobName])} before you submit again (${outputText(result)})`,
  );
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
