import { describe, expect, test } from "bun:test";
import { findJobId, outputText } from "../../../lib/slurm/job-id.ts";

const banner = "*** Login node of the Example cluster ***\n*** 2 jobs, 17 % of your quota used ***\n";

describe("the job id in what sbatch printed", () => {
  test.each([
    ["as --parsable has it", "123\n", "", "123"],
    ["with its cluster", "123;main\n", "", "123"],
    ["without --parsable", "Submitted batch job 123\n", "", "123"],
    [
      "without --parsable, of one of several clusters",
      "Submitted batch job 123 on cluster main\n",
      "",
      "123",
    ],
    ["after a banner", `${banner}123\n`, "", "123"],
    ["before a note", `123;main\nsee your jobs: squeue --me\n${banner}`, "", "123"],
    ["beside a plugin's lines", "123\n", "sbatch: lua: account 77 has 1000 hours left\n", "123"],
    ["on stderr", banner, "123\n", "123"],
    ["twice the same", "123\nSubmitted batch job 123\n", "", "123"],
    ["in colour, with carriage returns", "\x1b[1m123\x1b[0m\r\n", "", "123"],
    ["on stdout, and another number on stderr", "123\n", "456\n", "123"],
    ["two different ones", "2026\n123\n", "", undefined],
    ["in two forms", "2026\nSubmitted batch job 123\n", "", undefined],
    ["none", banner, "sbatch: queued\n", undefined],
    ["a number within a line", "job 123 is on its way\n123 jobs\n", "", undefined],
    ["nothing", "", "", undefined],
    ["a word that begins like one", "12a\n", "", undefined],
  ] as [string, string, string, string | undefined][])("%s", (_, stdout, stderr, id) => {
    expect(findJobId({ stdout, stderr })).toBe(id);
  });
});

test("both streams are shown in one line", () => {
  expect(outputText({ stdout: "a\n b\r\n", stderr: "" })).toBe("stdout: a; b, stderr: (nothing)");
});
