import { expect, test } from "bun:test";
import { parseQueue, parseTaskIds } from "../../../lib/slurm/squeue.ts";

test.each<[string, number[]]>([
  ["3", [3]],
  ["3,17,40-43", [3, 17, 40, 41, 42, 43]],
  ["0-10:5", [0, 5, 10]],
  ["N/A", []],
  ["", []],
])("the indices of %p", (list, ids) => {
  expect(parseTaskIds(list)).toEqual(ids);
});

test("tasks that run, tasks that wait together, and lines that are none", () => {
  const lines = [
    "Welcome",
    "12\t3\tRUNNING\tNone\tn1",
    "12\t4-6%8\tPENDING\tJobArrayTaskLimit\t",
    "13\tN/A\tPENDING\tDependency\t",
  ];
  expect(parseQueue(lines.join("\n"))).toEqual([
    { jobId: "12", taskIds: [3], state: "RUNNING", reason: "None", node: "n1", limit: null },
    { jobId: "12", taskIds: [4, 5, 6], state: "PENDING", reason: "JobArrayTaskLimit", node: null, limit: 8 },
    { jobId: "13", taskIds: [], state: "PENDING", reason: "Dependency", node: null, limit: null },
  ]);
});
