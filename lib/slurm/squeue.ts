import { runProgram } from "../system/process.ts";

/**
 * Whether any task of a job waits, runs or is being ended, by one call of squeue; undefined when Slurm does not say. A job that
 * has left the controller's memory is an unknown one to squeue.
 */
export async function isJobQueued(jobId: string): Promise<boolean | undefined> {
  const argv = ["squeue", "--noheader", "--format=%i", `--jobs=${jobId}`];
  const { code, stdout, stderr } = await runProgram(argv, { timeoutMs: 60_000 });
  if (code === 0) return stdout.trim() !== "";
  return /invalid job id/i.test(stderr) ? false : undefined;
}
