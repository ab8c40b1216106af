import sbatchTemplate from "../../templates/sbatch_array.sh" with { type: "text" };
import submitTemplate from "../../templates/submit.sh" with { type: "text" };
import workerTemplate from "../../templates/worker.sh" with { type: "text" };
import { invalidInput } from "../system/errors.ts";

/** The batch script's requests to Slurm. */
export interface ArrayOptions {
  jobName: string;
  numTasks: number;
  concurrency: number;
  timeLimit: string;
  partition: string;
  cpusPerTask: number;
  mem: string;
  /** Seconds before the time limit at which Slurm sends USR1 to the agent. */
  stopLeadSeconds: number;
  /** More sbatch options, as words: "--account=abc", "--qos", "low". */
  extras: readonly string[];
  /** The run's key (config.resolved.json), by which the script knows its run directory. */
  runKey: string;
}

/** The option that keeps Slurm from opening a log. The script opens it, once it has found its run directory. */
const noOutput = "--output=/dev/null";

/**
 * The text of sbatch_array.sh. The user's words reach only `#SBATCH` lines, each checked and quoted.
 * Throws invalid input for a word that such a line cannot hold.
 */
export function sbatchScript(options: ArrayOptions): string {
  if (!/^[0-9a-f]+$/.test(options.runKey))
    throw new Error("a run's key is hexadecimal: it is in the script's text");
  const directives = [
    `--job-name=${options.jobName}`,
    `--array=0-${options.numTasks - 1}%${options.concurrency}`,
    `--partition=${options.partition}`,
    `--time=${options.timeLimit}`,
    `--cpus-per-task=${options.cpusPerTask}`,
    `--mem=${options.mem}`,
    ...(options.extras.some(isOutputOption) ? [] : [noOutput]),
    "--open-mode=append",
    "--requeue",
    // Without "B:" the signal would go to the container step and kill it (sbatch(1), --signal).
    `--signal=B:USR1@${options.stopLeadSeconds}`,
  ];
  const lines = [
    ...directives.map((word) => `#SBATCH ${quoteDirective(word)}`),
    ...extraLines(options.extras),
  ];
  return sbatchTemplate
    .replace("#@run-key@", options.runKey)
    .replace("#@sbatch-directives@", () => lines.join("\n"));
}

/** Whether a word is sbatch's --output, which may be shortened: getopt_long(3). */
function isOutputOption(word: string): boolean {
  return /^-o|^--ou(?:t(?:p(?:u(?:t)?)?)?)?(?:=|$)/.test(word);
}

/**
 * The options of a submission by which Slurm itself opens the logs of a run's tasks. Slurm's own lines (time limit, memory)
 * are then in the logs too. There are no options where the script's text or the environment name another log. There are none
 * either where the run directory has a `%` or a backslash, which Slurm takes for a pattern. The script then opens the log.
 */
export function logOptions(
  script: string,
  runDir: string,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const named = env.SBATCH_OUTPUT || !script.split("\n").includes(`#SBATCH ${noOutput}`);
  return named || /[%\\]/.test(runDir) ? [] : [`--output=${runDir}/logs/slurm_%A_%a.out`];
}

/** One line for each option, with its value if a word follows that is one. */
function extraLines(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const quoted = quoteDirective(word);
    if (word.startsWith("-") || lines.length === 0) lines.push(`#SBATCH ${quoted}`);
    else lines.push(`${lines.pop()} ${quoted}`);
  }
  return lines;
}

/** A word that sbatch reads as it is, without quotes. */
const plain = /^-[\w.,:=/@%+*[\]{}-]*$/;

/**
 * Quotes a word for a `#SBATCH` line as sbatch reads it (get_argument in its opt.c). sbatch splits the line at blanks
 * outside quotes, takes the character after a backslash as it is (but for a blank, in older versions), ends the line at a `#`
 * outside quotes, and expands nothing. Throws invalid input for a line break or another control character.
 */
export function quoteDirective(word: string): string {
  if (/[\x00-\x1f\x7f\u0085\u2028\u2029]/.test(word)) {
    throw invalidInput(`a control character cannot be in an sbatch option: ${JSON.stringify(word)}`);
  }
  return plain.test(word) ? word : `"${word.replace(/["\\]/g, "\\$&")}"`;
}

/** The text of submit.sh, which is the same for every run. */
export const submitScript: string = submitTemplate;

/** The text of worker.sh, which is the same for every run. */
export const workerScript: string = workerTemplate;
