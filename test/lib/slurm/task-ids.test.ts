import { expect, test } from "bun:test";
import { parseTaskIds } from "../../../lib/slurm/squeue.ts";
import { formatTaskIds } from "../../../lib/slurm/task-ids.ts";

test.each<[number[], string]>([
  [[], ""],
  [[0], "0"],
  [[3, 17, 40, 41, 42, 43, 44], "3,17,40-44"],
  [[0, 1, 3, 4, 6], "0-1,3-4,6"],
])("the tasks %p are %p", (ids, text) => {
  expect(formatTaskIds(ids)).toBe(text);
  expect(parseTaskIds(text)).toEqual(ids);
});
