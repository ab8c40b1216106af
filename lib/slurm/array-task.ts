/** An array task of a Slurm job. */
export interface ArrayTask {
  arrayJobId: string;
  taskId: number;
}

/** The array task that this process is, from the environment that slurmd sets; undefined outside an array. */
export function currentArrayTask(env: Readonly<Record<string, string | undefined>>): ArrayTask | undefined {
  const { SLURM_ARRAY_JOB_ID: arrayJobId, SLURM_ARRAY_TASK_ID: taskId } = env;
  if (!arrayJobId || !taskId || !/^\d+$/.test(arrayJobId) || !/^\d+$/.test(taskId)) return undefined;
  return { arrayJobId, taskId: Number(taskId) };
}
