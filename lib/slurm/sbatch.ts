import { operationFailed } from "../system/errors.ts";
import { runProgram } from "../system/process.ts";
import { quoteWord } from "../system/shell-words.ts";
import { findJobId, outputText } from "./job-id.ts";

/** A batch script to submit, with the options before it and the arguments after it. */
interface Submission {
  dir: string;
  script: string;
  options: readonly string[];
  args: readonly string[];
  /** The name of the job, by which a user can look for it. */
  jobName: string;
}

/** A job that was submitted. */
interface Submitted {
  jobId: string;
  /** Why the submission may be in doubt all the same; undefined when it is not. */
  warning: string | undefined;
}

/**
 * Submits a batch script from its own directory. A failure throws, with the output of sbatch. Where the output leaves open
 * whether there is a job, the error says that it does.
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
    // sbatch prints an id only when the controller has the job: a wrapper failed after that, or --wait was killed.
    const warning = `${ended} after it gave the job id ${jobId}: ${outputText(result)}`;
    return { jobId, warning: result.code === 0 ? undefined : warning };
  }
  if (result.code !== 0 && result.signal === null) {
    throw operationFailed(`sbatch failed (exit code ${result.code}): ${outputText(result)}`);
  }
  throw operationFailed(
    `${ended}, and no one line of what it printed is the job id: the array may have been submitted: ` +
      `look at squeue --name=${quoteWord(jobName)} before you submit again (${outputText(result)})`,
  );
}

/** The option by which a job starts when another has ended: with all its tasks, and however they end. */
export const afterJob = (jobId: string | undefined): string[] =>
  jobId === undefined ? [] : [`--dependency=afterany:${jobId}`];
