import { describe, expect, test } from "bun:test";
import { type AccountFacts, accountFindings, arrayFinding } from "../../../lib/operate/doctor-limits.ts";
import type { Answer } from "../../../lib/operate/doctor-run.ts";
import {
  binaryFinding,
  pyxisFinding,
  testOnlyFinding,
  toolFinding,
  toolsOf,
} from "../../../lib/operate/doctor-tools.ts";
import { requestOfWords } from "../../../lib/slurm/task-request.ts";

const ended = (stdout: string, code = 0, stderr = ""): Answer => ({ kind: "ended", code, stdout, stderr });
const late: Answer = { kind: "late", seconds: 15, stdout: "", stderr: "" };

test.each<[string, Answer, boolean, object]>([
  ["sbatch", ended("slurm-wlm 22.05.8\n"), false, { state: "ok", text: "22.05.8" }],
  ["sbatch", ended("slurm 24.05.1\n"), false, { state: "ok", text: "24.05.1" }],
  ["rclone", ended("rclone v1.60.1-DEV\n- os/version: x 12\n"), false, { state: "ok", text: "v1.60.1-DEV" }],
  ["apptainer", ended("apptainer version 1.3.0\n"), true, { state: "ok", text: "1.3.0" }],
  ["sbatch", { kind: "missing" }, false, { state: "failure", text: "is not on PATH" }],
  ["apptainer", { kind: "missing" }, true, { state: "skipped" }],
  ["squeue", late, false, { state: "failure", text: "does not answer within 15 s" }],
  [
    "srun",
    ended("", 1, "srun: fatal: no configuration\n"),
    false,
    { state: "failure", text: "fails with exit code 1: srun: fatal: no configuration" },
  ],
])("%s that answers %p", (name, answer, isForNodes, found) => {
  expect(toolFinding(name, answer, isForNodes)).toMatchObject({ check: name, ...found });
});

test("the programs of each kind of run", () => {
  const names = (...args: Parameters<typeof toolsOf>) => toolsOf(...args).map(([name]) => name);
  expect(names("slurm", "pyxis")).toEqual(["sbatch", "srun", "squeue", "scontrol"]);
  expect(names("slurm", "apptainer")).toEqual(["sbatch", "srun", "squeue", "scontrol", "apptainer"]);
  expect(names("local", "host")).toEqual(["rclone"]);
});

test.each<[Answer, string]>([
  [ended("      --container-image=PATH  [pyxis] the image to use\n"), "ok"],
  [ended("      --container=PATH  OCI bundle\n"), "failure"],
  [ended("", 1), "skipped"],
  [{ kind: "missing" }, "skipped"],
])("srun --help that prints %p: pyxis is %s", (answer, state) => {
  expect(pyxisFinding(answer).state).toBe(state as "ok");
});

test.each<[Answer, object]>([
  [
    ended("", 0, "sbatch: Job 1 to start at 2026-11-25T17:44:41 using 1 processors on nodes n1\n"),
    { state: "ok", text: expect.stringContaining("Job 1 to start at") },
  ],
  [
    ended("", 1, "allocation failure: Requested node configuration is not available\n"),
    {
      state: "failure",
      text: "Slurm would refuse it: allocation failure: Requested node configuration is not available",
    },
  ],
  [ended("", 1, ""), { state: "failure", text: "Slurm would refuse it: exit code 1" }],
  [late, { state: "skipped" }],
  [{ kind: "missing" }, { state: "skipped" }],
])("sbatch --test-only that answers %p", (answer, found) =>
  expect(testOnlyFinding(answer)).toMatchObject(found),
);

const denied = { text: "Permission denied", denied: true };
const foreign = { text: "Exec format error", denied: false };
test.each([
  [true, true, undefined, "ok"],
  [true, false, undefined, "failure"],
  [true, true, denied, "failure"],
  [true, true, foreign, "failure"],
  [false, false, undefined, "skipped"],
  [false, true, denied, "failure"],
  [false, true, foreign, "warning"],
] as const)("a binary that is a copy %p, exists %p, fails with %p: %s", (isCopy, exists, failure, state) => {
  expect(binaryFinding({ path: "/b", isCopy, exists, failure }).state).toBe(state);
});

test.each([
  [1001, 10_000, 256, "ok", "256 shards; an array has 1,001 tasks at most"],
  [1001, 10_000, 2500, "ok", "2,500 shards in an array of 1,001 tasks: a task copies up to 3"],
  [1001, 10_000, undefined, "ok", "an array has 1,001 tasks at most"],
  [1001, 2, 5, "ok", "5 shards in an array of 1 task: a task copies up to 5"],
  [0, 10_000, 5, "failure", "the cluster allows no job arrays (MaxArraySize, MaxJobCount)"],
] as const)(
  "MaxArraySize %p, MaxJobCount %p, %p shards: %s",
  (maxArraySize, maxJobCount, shards, state, text) => {
    const limits = { maxArraySize, maxJobCount, maxArrayTasks: undefined };
    expect(arrayFinding(limits, { shards, atATime: 64 })).toMatchObject({ state, text });
    expect(arrayFinding(undefined, { shards, atATime: 64 }).state).toBe("skipped");
  },
);

describe("the limits of account and QOS", () => {
  const none = {
    maxJobs: undefined,
    maxSubmit: undefined,
    maxWall: undefined,
    maxCpus: undefined,
    maxMemoryMb: undefined,
  };
  const lab = {
    ...none,
    account: "lab",
    isDefault: true,
    partition: "",
    qos: ["normal", "long"],
    defaultQos: "normal",
  };
  const facts = (own: object = {}, qos: object = {}, enforces = "associations,limits,qos"): AccountFacts => ({
    enforces,
    accounting: {
      associations: [
        { ...lab, account: "guest", isDefault: false },
        { ...lab, ...own },
      ],
      qos: new Map([["normal", { ...none, ...qos }]]),
    },
  });
  const judge = (given: AccountFacts, words = "--time=60 --mem=8G --cpus-per-task=4") =>
    accountFindings(given, requestOfWords(words.split(" "), {}), { tasks: 100, atATime: 64 });
  const usual = "--time=60 --mem=8G --cpus-per-task=4";

  test.each<[string, AccountFacts, string, string[], RegExp]>([
    ["none are known", { accounting: undefined, enforces: "none" }, usual, ["skipped"], /not known/],
    [
      "the user has none",
      { accounting: { associations: [], qos: new Map() }, enforces: "limits" },
      usual,
      ["skipped"],
      /no account/,
    ],
    ["there are none", facts(), usual, ["ok"], /lab, QOS normal: the run is within/],
    ["the account is another's", facts(), `${usual} --account=x`, ["failure"], /x is no account/],
    [
      "the account is another's, and Slurm lets it",
      facts({}, {}, "none"),
      `${usual} --account=x`,
      ["ok"],
      /does not mind/,
    ],
    ["the QOS is another's", facts(), `${usual} --qos=x`, ["failure"], /x is no QOS/],
    [
      "too many tasks",
      facts({ maxSubmit: 99 }),
      usual,
      ["failure"],
      /takes 99 jobs, and the array has 100 tasks/,
    ],
    ["just so many tasks", facts({ maxSubmit: 100 }), usual, ["ok"], /./],
    ["too many tasks for the QOS", facts({}, { maxSubmit: 50 }), usual, ["failure"], /^QOS normal takes 50/],
    ["too long", facts({ maxWall: 3599 }), usual, ["failure"], /a job, less than the time limit/],
    ["too many CPUs", facts({}, { maxCpus: 2 }), usual, ["failure"], /2 CPUs a job/],
    ["too much memory", facts({ maxMemoryMb: 8191 }), usual, ["failure"], /8,191 MiB a job/],
    ["fewer at a time", facts({ maxJobs: 10 }), usual, ["warning"], /lets 10 jobs run at a time/],
    [
      "all of it",
      facts({ maxSubmit: 1, maxWall: 1 }, { maxCpus: 1 }),
      usual,
      ["failure", "failure", "failure"],
      /./,
    ],
    [
      "limits that are not enforced",
      facts({ maxSubmit: 1 }, {}, "associations"),
      usual,
      ["ok"],
      /enforces no limits/,
    ],
  ])("%s", (_, given, words, states, text) => {
    const found = judge(given, words);
    expect(found.map(({ state }) => state as string)).toEqual(states);
    expect(found[0]?.text).toMatch(text);
    for (const { state, mend } of found)
      expect(mend !== undefined).toBe(state !== "ok" && state !== "skipped");
  });
});
