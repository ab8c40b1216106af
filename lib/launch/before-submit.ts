import type { RunConfig } from "../run/config.ts";
import { readPartitions } from "../slurm/partitions.ts";
import { requestOfScript, requestOfWords } from "../slurm/task-request.ts";
import { isStop, operationFailed, XferError } from "../system/errors.ts";
import { log } from "../system/log.ts";
import { confForSubmission, lookAtConf } from "./conf-look.ts";
import { leastNeeds, readRoom, roomFindings } from "./disk-room.ts";
import type { Finding } from "./finding.ts";
import type { RenderOptions } from "./request.ts";
import { partitionFindings } from "./slurm-fit.ts";

/** A run whose array is about to be submitted. */
interface Submittable {
  dir: string;
  /** The text of its batch script. */
  script: string;
  config: Pick<RunConfig, "rclone_config">;
}

/**
 * Looks at what would keep the tasks of a run from ever working: the partition and its limits, rclone.conf, the disk. It asks
 * Slurm once (sinfo), and takes what it does not get to know for well.
 */
export async function findBeforeSubmit({ dir, script, config }: Submittable): Promise<Finding[]> {
  const [partitions, room] = await Promise.all([readPartitions(), readRoom(dir)]);
  const conf = config.rclone_config;
  const found = [
    ...partitionFindings(requestOfScript(script, process.env), partitions),
    ...(conf === null ? [] : [confForSubmission(lookAtConf(conf, dir))]),
    ...roomFindings(dir, room, leastNeeds),
  ];
  return found.filter(({ state }) => state === "failure");
}

/** The same of a run that is not rendered yet, before its source is listed: whether the cluster can run its tasks. */
export async function findBeforeListing(slurm: RenderOptions["slurm"]): Promise<Finding[]> {
  const request = requestOfWords(wordsOf(slurm), process.env);
  return partitionFindings(request, await readPartitions()).filter(({ state }) => state === "failure");
}

/** What a task asks of sbatch, as words. */
function wordsOf(slurm: RenderOptions["slurm"]): string[] {
  return [
    ...[`--partition=${slurm.partition}`, `--time=${slurm.timeLimit}`, `--mem=${slurm.mem}`],
    ...[`--cpus-per-task=${slurm.cpusPerTask}`, ...slurm.sbatchExtras],
  ];
}

/**
 * What failures mean for a submission. `force` is undefined where the command has no --force:
 *
 * | failures | force is false | force is true, or undefined |
 * |---|---|---|
 * | none | submit | submit |
 * | one | refuse, with its line | warn, and submit |
 * | several | a line for each, then refuse | warn of each, and submit |
 */
export function settleFailures(failures: readonly Finding[], force: boolean | undefined): void {
  const lines = failures.map(({ check, text, mend }) => `${check}: ${text}${mend ? `: ${mend}` : ""}`);
  if (force !== false) {
    for (const line of lines) log.warn(`${line}${force ? " (submitted all the same: --force)" : ""}`);
    return;
  }
  const [only] = lines;
  if (only === undefined) return;
  const end = "nothing was submitted; --force submits all the same";
  if (lines.length === 1) throw operationFailed(`${only}: ${end}`);
  for (const line of lines) log.error(line);
  throw operationFailed(`${lines.length} checks failed: ${end}`);
}

/** Makes a check that throws; with --force what it throws is a warning, and so is what it returns without. */
export async function warned(
  check: () => string | undefined | Promise<string | undefined>,
  force: boolean | undefined,
): Promise<void> {
  try {
    const warning = await check();
    if (warning !== undefined) log.warn(warning);
  } catch (error) {
    if (!force || !(error instanceof XferError) || isStop(error)) throw error;
    log.warn(`${error.message} (submitted all the same: --force)`);
  }
}
