import { runProgram } from "../system/process.ts";

/**
 * Keeps all tasks of these jobs that wait from starting, and those that run from starting again; the user himself can
 * release them. Returns why Slurm refused any of it, or undefined.
 */
export const holdJobs = (ids: readonly string[]): Promise<string | undefined> =>
  ask(["scontrol", "uhold", ...ids]);

/** Lets held tasks of these jobs start again. Returns why Slurm refused any of it, or undefined. */
export const releaseJobs = (ids: readonly string[]): Promise<string | undefined> =>
  ask(["scontrol", "release", ...ids]);

/** Ends these jobs for good, what runs of them and what waits. Returns why Slurm refused any of it, or undefined. */
export const cancelJobs = (ids: readonly string[]): Promise<string | undefined> => ask(["scancel", ...ids]);

/** Sets how many tasks of an array may run at a time; what runs beyond that goes on. Returns why Slurm refused, or undefined. */
export const limitArray = (id: string, tasks: number): Promise<string | undefined> =>
  ask(["scontrol", "update", `JobId=${id}`, `ArrayTaskThrottle=${tasks}`]);

async function ask(argv: readonly string[]): Promise<string | undefined> {
  const { code, stdout, stderr } = await runProgram(argv, { timeoutMs: 60_000 });
  if (code === 0) return undefined;
  const said = complaintsIn(`${stderr}\n${stdout}`);
  if (said.length === 0) return undefined;
  return `${argv.slice(0, 2).join(" ")} failed (exit code ${code}): ${said.join("; ").slice(0, saidMax)}`;
}

const saidMax = 500;

/**
 * What scontrol complains of. For an array of which some tasks have ended it exits with 1, does what it was asked to for all
 * others, and prints `12_0-2: Job has already finished` and `12_3-9: No error`: neither is a complaint. An exit without
 * words is one.
 */
export function complaintsIn(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  const said = lines.filter((line) => line !== "");
  if (said.length === 0) return ["it said nothing"];
  return said.filter((line) => !/^[\d_,%[\]-]+: (?:Job has already finished|No error)$/i.test(line));
}
