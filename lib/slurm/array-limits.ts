/** The limits of a cluster for job arrays. */
export interface ArrayLimits {
  /** One more than the highest index (slurm.conf(5), MaxArraySize). */
  maxArraySize: number;
  /** SchedulerParameters max_array_tasks; without it MaxArraySize is the limit. */
  maxArrayTasks: number | undefined;
  /** How many jobs Slurm holds at a time. Each array task that has started counts as one. */
  maxJobCount: number;
}

/** Slurm's own defaults (slurm.conf(5)). */
const defaults: ArrayLimits = { maxArraySize: 1001, maxArrayTasks: undefined, maxJobCount: 10_000 };

/** Reads the limits from the output of `scontrol show config`. A limit that is not there has Slurm's default. */
export function parseArrayLimits(text: string): ArrayLimits {
  const number = (name: string): number | undefined => {
    const value = new RegExp(`^${name}\\s*=\\s*(\\d+)\\s*$`, "m").exec(text)?.[1];
    return value === undefined ? undefined : Number(value);
  };
  const scheduler = /^SchedulerParameters\s*=\s*(.*)$/m.exec(text)?.[1] ?? "";
  const tasks = /(?:^|,)\s*max_array_tasks=(\d+)/.exec(scheduler)?.[1];
  return {
    maxArraySize: number("MaxArraySize") ?? defaults.maxArraySize,
    maxArrayTasks: tasks === undefined ? undefined : Number(tasks),
    maxJobCount: number("MaxJobCount") ?? defaults.maxJobCount,
  };
}

/**
 * How many array tasks carry these shards: one a shard where the cluster allows it, and otherwise as many as it allows.
 * Task t of n then copies the shards t, t + n, t + 2n, ... Returns 0 when the cluster allows no array at all.
 */
export function packArray(numShards: number, limits: ArrayLimits): number {
  const { maxArraySize, maxArrayTasks, maxJobCount } = limits;
  // The array's own record counts as a job too.
  return Math.max(0, Math.min(numShards, maxArraySize, maxArrayTasks ?? maxArraySize, maxJobCount - 1));
}

/** The shards of array task `task` when `stride` tasks carry `numShards` shards. */
export function shardsOfTask(task: number, stride: number, numShards: number): number[] {
  const shards: number[] = [];
  for (let shard = task; shard < numShards; shard += stride) shards.push(shard);
  return shards;
}
