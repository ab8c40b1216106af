import { expect, test } from "bun:test";
import { currentArrayTask } from "../../../lib/slurm/array-task.ts";

/** [the variables of slurmd, the task] */
test.each<[Record<string, string>, { arrayJobId: string; taskId: number } | undefined]>([
  [{}, undefined],
  [{ SLURM_JOB_ID: "7" }, undefined],
  [
    { SLURM_ARRAY_JOB_ID: "7", SLURM_ARRAY_TASK_ID: "0" },
    { arrayJobId: "7", taskId: 0 },
  ],
  [
    { SLURM_ARRAY_JOB_ID: "4294967294", SLURM_ARRAY_TASK_ID: "4000000", SLURM_JOB_ID: "9" },
    { arrayJobId: "4294967294", taskId: 4_000_000 },
  ],
  [{ SLURM_ARRAY_JOB_ID: "7" }, undefined],
  [{ SLURM_ARRAY_TASK_ID: "7" }, undefined],
  [{ SLURM_ARRAY_JOB_ID: "", SLURM_ARRAY_TASK_ID: "1" }, undefined],
  [{ SLURM_ARRAY_JOB_ID: "7", SLURM_ARRAY_TASK_ID: "" }, undefined],
  [{ SLURM_ARRAY_JOB_ID: "7", SLURM_ARRAY_TASK_ID: "-1" }, undefined],
  [{ SLURM_ARRAY_JOB_ID: "7_1", SLURM_ARRAY_TASK_ID: "1" }, undefined],
  [{ SLURM_ARRAY_JOB_ID: "7", SLURM_ARRAY_TASK_ID: "1 2" }, undefined],
])("with %j a process is the task %j", (env, task) => {
  expect(currentArrayTask(env)).toEqual(task as { arrayJobId: string; taskId: number });
});
