/** A file of a run's logs, as its name tells what is in it. */
export type LogFile = { name: string } & (
  | { kind: "shard"; shard: number; attempt: number }
  /** The messages of an agent of the local executor. */
  | { kind: "agent"; shard: number }
  /** The messages of the agent, and of Slurm, of one array task. */
  | { kind: "task"; job: string; task: number }
);

/** What a file of the folder of logs is, by its name; undefined for a file that is none of a run's logs. */
export function logFileOf(name: string): LogFile | undefined {
  const [, shard, attempt] = /^shard_(\d{1,9})_attempt_(\d{1,9})\.log$/.exec(name) ?? [];
  if (shard !== undefined) return { name, kind: "shard", shard: Number(shard), attempt: Number(attempt) };
  const [, ofAgent] = /^agent_(\d{1,9})\.out$/.exec(name) ?? [];
  if (ofAgent !== undefined) return { name, kind: "agent", shard: Number(ofAgent) };
  const [, job, task] = /^slurm_(\d+)_(\d{1,9})\.out$/.exec(name) ?? [];
  return job === undefined ? undefined : { name, kind: "task", job, task: Number(task) };
}

/** Which part of the logs is wanted; undefined for all. */
export interface LogFilter {
  shard: number | undefined;
  attempt: number | undefined;
  errorsOnly: boolean;
}

/**
 * Whether a file may hold lines that are wanted. `shardsOf` tells the shards that a task carries.
 *
 * | file | of a shard | of an attempt |
 * |---|---|---|
 * | a shard's log | its own alone | its own alone |
 * | an agent's output | its own alone | each |
 * | a task's output | those of a task that carries it | each |
 */
export function mayHold(
  file: LogFile,
  { shard, attempt }: Pick<LogFilter, "shard" | "attempt">,
  shardsOf: (job: string, task: number) => readonly number[],
): boolean {
  if (file.kind === "shard" && attempt !== undefined && file.attempt !== attempt) return false;
  if (shard === undefined) return true;
  return file.kind === "task" ? shardsOf(file.job, file.task).includes(shard) : file.shard === shard;
}
