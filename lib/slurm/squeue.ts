import { childEnvironment, runProgram } from "../system/process.ts";

/** Array tasks of one job that are in the queue in the same way. */
export interface QueuedTasks {
  /** The array's own id. */
  jobId: string;
  /** The index of a task that runs or has run; of those that wait together, all. */
  taskIds: number[];
  /** PENDING, RUNNING, REQUEUED, COMPLETING, ... (squeue(1), JOB STATE CODES). */
  state: string;
  /** Why it waits, such as Resources, JobHeldUser, BeginTime, Dependency, JobArrayTaskLimit; "None" when it does not. */
  reason: string;
  node: string | null;
  /** How many tasks may run at a time (%N of --array); null without a limit. */
  limit: number | null;
}

/** The columns that are asked for, and what takes them apart: no field of these has a tab. */
const format = ["%F", "%K", "%T", "%r", "%N"].join("\t");

/**
 * All tasks of these jobs that wait, run or are being ended, by one call of squeue; undefined when Slurm does not say, or is
 * not there. A job that has left the controller's memory has none. Tasks of an array that wait for several reasons come
 * together, with all these reasons, unless each is asked for by itself (`apart`), and then without the array's limit.
 */
export async function readQueue(
  jobIds: readonly string[],
  { apart = false } = {},
): Promise<QueuedTasks[] | undefined> {
  if (jobIds.length === 0) return [];
  const words = ["squeue", "--noheader", ...(apart ? ["--array"] : [])];
  const argv = [...words, `--format=${format}`, `--jobs=${jobIds.join(",")}`];
  // Without it squeue cuts a long list of indices short.
  const env = { ...childEnvironment(), SLURM_BITSTR_LEN: "0" };
  try {
    const { code, stdout, stderr } = await runProgram(argv, { env, timeoutMs: 60_000 });
    if (code === 0) return parseQueue(stdout);
    return /invalid job id/i.test(stderr) ? [] : undefined;
  } catch {
    return undefined;
  }
}

/** Reads what squeue prints in the format above. Lines of anything else (a site's banner) are passed over. */
export function parseQueue(text: string): QueuedTasks[] {
  return text.split("\n").flatMap((line) => {
    const [jobId = "", index = "", state, reason, node = ""] = line.split("\t");
    if (!/^\d+$/.test(jobId) || state === undefined || reason === undefined) return [];
    const [list = "", limit] = index.split("%");
    const tasks = { jobId, taskIds: parseTaskIds(list), state, reason };
    return [{ ...tasks, node: node.trim() || null, limit: limit === undefined ? null : Number(limit) }];
  });
}

/** The indices in a list such as `3,17,40-44` or `0-10:2`; none for what is no list (`N/A`: a job that is no array). */
export function parseTaskIds(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const [, first, last, step] = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(part) ?? [];
    if (first === undefined) return [];
    const ids: number[] = [];
    for (let id = Number(first); id <= Number(last ?? first); id += Number(step ?? 1)) ids.push(id);
    return ids;
  });
}

/** Whether any task of a job waits, runs or is being ended; undefined when Slurm does not say. */
export async function isJobQueued(jobId: string): Promise<boolean | undefined> {
  const queue = await readQueue([jobId]);
  return queue === undefined ? undefined : queue.length > 0;
}
