import { expect, test } from "bun:test";
import { requestOfScript, requestOfWords, type TaskRequest } from "../../../lib/slurm/task-request.ts";

const nothing: TaskRequest = {
  ...{ partitions: [], timeLimit: undefined, memoryMb: undefined, cpus: undefined },
  ...{ account: undefined, qos: undefined, isElsewhere: false, placing: [] },
};

test.each<[string, Record<string, string>, Partial<TaskRequest>]>([
  ["", {}, {}],
  [
    "--partition=a,b --time=24:00:00 --mem=8G --cpus-per-task=4",
    {},
    {
      ...{ partitions: ["a", "b"], timeLimit: 86_400, memoryMb: 8192, cpus: 4, placing: ["--partition=a,b"] },
    },
  ],
  [
    "--partition=a --time=10 -p b -t 5",
    {},
    { partitions: ["b"], timeLimit: 300, placing: ["--partition=b"] },
  ],
  ["--mem=500", {}, { memoryMb: 500 }],
  ["--mem=2T", {}, { memoryMb: 2_097_152 }],
  ["--mem=1K", {}, { memoryMb: 1 }],
  ["--mem=0 --time=UNLIMITED", {}, { memoryMb: 0, timeLimit: Number.POSITIVE_INFINITY }],
  ["--mem=much --time=long --cpus-per-task=x", {}, {}],
  ["--account=x --qos=q", {}, { account: "x", qos: "q", placing: ["--account=x", "--qos=q"] }],
  ["--reservation=r", {}, { isElsewhere: true, placing: ["--reservation=r"] }],
  ["-M other", {}, { isElsewhere: true, placing: ["--clusters=other"] }],
  // The submitter's variables win over the script.
  [
    "--partition=a --time=10",
    { SBATCH_PARTITION: "c", SBATCH_TIMELIMIT: "1:00:00" },
    {
      ...{ partitions: ["c"], timeLimit: 3600, placing: ["--partition=c"] },
    },
  ],
  [
    "--mem=1G",
    { SBATCH_MEM_PER_NODE: "2G", SLURM_CLUSTERS: "x", SBATCH_QOS: "" },
    {
      ...{ memoryMb: 2048, isElsewhere: true, placing: ["--clusters=x"] },
    },
  ],
])("what the words %s with %p ask for", (words, env, asked) => {
  const list = words.split(" ").filter(Boolean);
  expect(requestOfWords(list, env)).toEqual({ ...nothing, ...asked });
  const lines = words.split(/ (?=-)/).map((word) => `#SBATCH ${word}`);
  expect(requestOfScript(`#!/bin/bash\n${lines.join("\n")}\necho --partition=no\n`, env)).toEqual({
    ...nothing,
    ...asked,
  });
});

test("a line of a script that cannot be read is left to sbatch, and quotes are taken off", () => {
  const script = '#SBATCH --partition="a b\n#SBATCH --account="lab one"\n# SBATCH --qos=no\n';
  expect(requestOfScript(script, {})).toEqual({
    ...nothing,
    ...{ account: "lab one", placing: ["--account=lab one"] },
  });
});
