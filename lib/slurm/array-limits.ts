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

/** The tasks of an array, and which shards each copies. */
export interface ArrayPlan {
  /** The indices of the tasks, ascending. */
  tasks: number[];
  /** The distance from one of a task's shards to the next; null where each task copies the shard of its own number. */
  stride: number | null;
  /** Whether the tasks carry shards that were not asked for and are not done, beside those that were. */
  carriesMore: boolean;
}

/**
 * The tasks that carry these shards of a run, which are ascending; undefined when the cluster allows no array at all.
 *
 * | the shards | tasks |
 * |---|---|
 * | all, and the cluster allows a task for each | one a shard |
 * | all, and it does not | as many as it allows, each with every Nth shard |
 * | some, whose numbers and whose count the limits allow | those of the shards' own numbers |
 * | some, and the limits do not allow them | of the array that all shards would have, the tasks that carry these |
 */
export function planArray(
  shards: readonly number[],
  numShards: number,
  limits: ArrayLimits,
  isDone: (shard: number) => boolean = () => false,
): ArrayPlan | undefined {
  const most = packArray(numShards, limits);
  if (most === 0 || shards.length === 0) return undefined;
  if ((shards.at(-1) ?? 0) < limits.maxArraySize && shards.length <= packArray(shards.length, limits)) {
    return { tasks: [...shards], stride: null, carriesMore: false };
  }
  const tasks = [...new Set(shards.map((shard) => shard % most))].sort((a, b) => a - b);
  const asked = new Set(shards);
  const carriesMore = tasks.some((task) =>
    shardsOfTask(task, most, numShards).some((shard) => !asked.has(shard) && !isDone(shard)),
  );
  return { tasks, stride: most, carriesMore };
}

/** The shards of array task `task` when `stride` tasks carry `numShards` shards. */
export function shardsOfTask(task: number, stride: number, numShards: number): number[] {
  const shards: number[] = [];
  for (let shard = task; shard < numShards; shard += stride) shards.push(shard);
  return shards;
}
