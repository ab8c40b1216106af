import { expect, test } from "bun:test";
import { submitScriptIn } from "../../../lib/slurm/sbatch.ts";
import { findProgram } from "../../../lib/system/process.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { standIns } from "./stand-ins.ts";

/** Submits with an sbatch that does this. */
async function submitted(sbatch: string) {
  using dir = temporaryDirectory("xfer-sbatch-");
  using slurm = standIns(dir.path, { sbatch });
  const result = await submitScriptIn({
    dir: dir.path,
    script: "sbatch_array.sh",
    options: ["--array=0-9%4", "--output=/a b/logs/x"],
    args: ["--stride", "10"],
    jobName: "my job",
  }).catch((error: unknown) => error);
  return { result, calls: slurm.calls(), dir: dir.path };
}

test("a script is submitted from its folder, with nothing of the submitter's environment", async () => {
  const { result, calls } = await submitted('echo "77;main"');
  expect(result).toEqual({ jobId: "77", warning: undefined });
  expect(calls).toEqual([
    [
      "sbatch",
      "--parsable",
      "--export=NONE",
      "--array=0-9%4",
      "--output=/a b/logs/x",
      "sbatch_array.sh",
      "--stride",
      "10",
    ],
  ]);
  const elsewhere = await submitted("pwd >&2; exit 1");
  expect(String(elsewhere.result)).toEndWith(`stderr: ${elsewhere.dir}`);
});

test.each<[string, string, object]>([
  [
    "took it, and failed after",
    "echo 77; exit 1",
    { jobId: "77", warning: expect.stringContaining("exit code 1") },
  ],
  [
    "refused it",
    "echo 'sbatch: error: Invalid partition' >&2; exit 1",
    {
      exitCode: 1,
      message: "sbatch failed (exit code 1): stdout: (nothing), stderr: sbatch: error: Invalid partition",
    },
  ],
  [
    "said nothing",
    "exit 0",
    {
      exitCode: 1,
      message: expect.stringContaining("look at squeue --name='my job' before you submit again"),
    },
  ],
  [
    "said two ids",
    "echo 77; echo 78",
    { exitCode: 1, message: expect.stringContaining("the array may have been submitted") },
  ],
  [
    "was killed",
    "kill -KILL $$",
    { exitCode: 1, message: expect.stringContaining("sbatch ended with exit code 137, and no one line") },
  ],
])("an sbatch that %s", async (_, sbatch, expected) => {
  const { result, calls } = await submitted(sbatch);
  expect(result).toMatchObject(expected);
  expect(calls).toHaveLength(1);
});

test("no sbatch: it is said where it was looked for", () => {
  const before = process.env.PATH;
  process.env.PATH = "/nowhere";
  try {
    expect(() => findProgram("sbatch")).toThrow("sbatch was not found on PATH (looked in /nowhere)");
  } finally {
    process.env.PATH = before;
  }
});
