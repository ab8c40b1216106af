import { expect, test } from "bun:test";
import { handOverText, type PlannedRun, planText } from "../../../cmd/view/plan.ts";

const run: PlannedRun = {
  ...{ runDir: "r", listed: { root: "src:b", source: "src:b" }, delta: false, numShards: "256" },
  ...{ executor: "slurm", submits: false, watches: false, verifies: true, verifiesInQueue: false },
};
const files = "r/config.resolved.json, r/sbatch_array.sh, r/submit.sh, r/worker.sh";

test.each<[string, Partial<PlannedRun>, string[]]>([
  [
    "a run that is only rendered",
    {},
    ["list src:b into r/manifest.jsonl", "cut 256 shards: r/shards/", `write ${files}`],
  ],
  [
    "a run that is submitted and waited for",
    { submits: true, watches: true, listed: undefined },
    [
      "take r/manifest.jsonl, which is there: the source is not listed again",
      "cut 256 shards: r/shards/",
      `write ${files}`,
      "submit a job array: sbatch r/sbatch_array.sh",
      "wait for the array",
      "list the destination, and compare it with the manifest",
    ],
  ],
  [
    "a run that is submitted with its verification",
    { submits: true, verifiesInQueue: true, listed: undefined },
    [
      "take r/manifest.jsonl, which is there: the source is not listed again",
      "cut 256 shards: r/shards/",
      `write ${files}`,
      "submit a job array: sbatch r/sbatch_array.sh",
      "submit the jobs that compare the destination when the array has ended, and write verify.json",
    ],
  ],
  [
    "a run on this machine, with a delta",
    { executor: "local", delta: true, numShards: "auto", listed: { root: "/mnt/b", source: "src:b" } },
    [
      "list /mnt/b in place of src:b into r/manifest.jsonl",
      "list the destination, and plan what it lacks: r/delta.jsonl",
      "cut auto shards: r/shards/",
      `write ${files}`,
      "run the agents on this machine",
      "list the destination, and compare it with the manifest",
    ],
  ],
])("%s is told step by step", (_, more, steps) => {
  const numbered = steps.map((step, i) => `${i + 1}. ${step}`);
  expect(
    planText({ ...run, ...more })
      .trimEnd()
      .split("\n"),
  ).toEqual(["nothing is done; this is the plan:", ...numbered]);
});

test("what is handed over is told with all its words", () => {
  const there = { cluster: "weka", host: "me@login", runRoot: "~/runs", runDir: "r" };
  const words = ["run", "--source=src:my bucket"];
  const build = { cluster: "store", host: "me@store", runRoot: "/runs", words: ["manifest", "build"] };
  expect(handOverText({ ...there, words, build })).toBe(
    [
      "nothing is done; this is the plan:",
      "1. connect to weka (me@login)",
      "2. put xfer there where it is not yet: ~/runs/.xfer/bin",
      "3. connect to store (me@store)",
      "4. put xfer there where it is not yet: /runs/.xfer/bin",
      "5. at store, in /runs: xfer manifest build",
      "6. fetch the manifest to r, and send it to weka:~/runs/r",
      "7. at weka, in ~/runs: xfer run '--source=src:my bucket'",
      "",
    ].join("\n"),
  );
});
