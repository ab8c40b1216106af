import { messageOf } from "../system/errors.ts";
import { runProgram } from "../system/process.ts";
import type { ArrayTask } from "./array-task.ts";

/**
 * Sends TERM to the steps of one array task, not to its batch script. Returns why Slurm refused, or undefined when it did
 * not. An srun that is sent TERM itself would kill its step at once (seen with 22.05).
 */
export async function terminateSteps(task: ArrayTask): Promise<string | undefined> {
  const id = `${task.arrayJobId}_${task.taskId}`;
  const argv = ["scancel", "--signal=TERM", id];
  try {
    let result = await runProgram(argv, { timeoutMs: 5_000 });
    // A busy controller may refuse the first request. There is time for a second: the lead before the limit.
    if (result.code !== 0) result = await runProgram(argv, { timeoutMs: 5_000 });
    if (result.code === 0) return undefined;
    return `${argv.join(" ")} failed (exit code ${result.code}): ${result.stderr.trim()}`;
  } catch (error) {
    return messageOf(error);
  }
}
