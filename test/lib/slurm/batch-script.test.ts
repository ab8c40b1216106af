import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { currentArrayTask } from "../../../lib/slurm/array-task.ts";
import {
  type ArrayOptions,
  logOptions,
  quoteDirective,
  sbatchScript,
  submitScript,
  workerScript,
} from "../../../lib/slurm/batch-script.ts";

const plain: ArrayOptions = {
  jobName: "xfer",
  numTasks: 256,
  concurrency: 64,
  timeLimit: "24:00:00",
  partition: "transfer",
  cpusPerTask: 4,
  mem: "8G",
  stopLeadSeconds: 120,
  extras: [],
  runKey: "0123456789abcdef",
};
const hostile: ArrayOptions = {
  ...plain,
  jobName: "a b $(touch pwned) `id` 'q' \"d\" \\ #x; %j é",
  partition: "p;rm -rf .",
  extras: ["--account=abc", "--qos", "low prio", "--comment", "#1"],
};

/** Compares with a file that is rewritten only when UPDATE_GOLDEN=1 says so. */
function expectGolden(name: string, text: string): void {
  const path = join(import.meta.dir, "golden", name);
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, "utf8"));
}

describe("the batch script", () => {
  for (const [name, options] of [
    ["plain.sh", plain],
    ["hostile.sh", hostile],
  ] as const) {
    test(name, () => expectGolden(name, sbatchScript(options)));
  }

  test("bash finds every script sound", () => {
    for (const text of [sbatchScript(plain), sbatchScript(hostile), submitScript, workerScript]) {
      const check = Bun.spawnSync(["bash", "-n"], { stdin: Buffer.from(text), stderr: "pipe" });
      expect(check.stderr.toString()).toBe("");
      expect(check.exitCode).toBe(0);
    }
  });

  test("what the user writes is only on #SBATCH lines", () => {
    const code = (options: ArrayOptions) =>
      sbatchScript(options)
        .split("\n")
        .filter((line) => !line.startsWith("#SBATCH"));
    expect(code(hostile)).toEqual(code(plain));
  });
});

test("words that a #SBATCH line cannot hold are refused", () => {
  for (const word of ["a\nb", "a\rb", "a\0b", "\x1b[2J", "a\u2028b"]) {
    expect(() => quoteDirective(word)).toThrow(/^a control character cannot be in an sbatch option/);
  }
});

describe("the script opens its log itself only where nobody names one", () => {
  test.each([
    [[], true],
    [["--account=a", "--comment=-out"], true],
    [["--open-mode=truncate", "--overcommit"], true],
    [["--output=x.out"], false],
    [["--output", "x.out"], false],
    [["-o", "x.out"], false],
    [["-ox.out"], false],
    [["--outp=x.out"], false],
    [["--error=x.err"], true],
  ] as [string[], boolean][])("%j", (extras, itself) => {
    const text = sbatchScript({ ...plain, extras });
    expect(text.split("\n").includes("#SBATCH --output=/dev/null")).toBe(itself);
    expect(logOptions(text, "/runs/a b", {}).length).toBe(itself ? 1 : 0);
  });

  test.each([
    ["/runs/a b", {}, ["--output=/runs/a b/logs/slurm_%A_%a.out"]],
    ["/runs/100%", {}, []],
    ["/runs/a\\b", {}, []],
    ["/runs/a", { SBATCH_OUTPUT: "x" }, []],
  ] as [string, Record<string, string>, string[]][])("submitted from %s with %j", (dir, env, options) => {
    expect(logOptions(sbatchScript(plain), dir, env)).toEqual(options);
  });

  test("a script of an earlier build, which names logs/ by itself", () => {
    expect(logOptions("#!/bin/bash\n#SBATCH --output=logs/slurm_%A_%a.out\n", "/runs/a", {})).toEqual([]);
  });
});

test("the array task that a process is", () => {
  expect(currentArrayTask({ SLURM_ARRAY_JOB_ID: "7", SLURM_ARRAY_TASK_ID: "12", SLURM_JOB_ID: "7" })).toEqual(
    {
      arrayJobId: "7",
      taskId: 12,
    },
  );
  expect(currentArrayTask({ SLURM_JOB_ID: "7" })).toBeUndefined();
  expect(currentArrayTask({ SLURM_ARRAY_JOB_ID: "7", SLURM_ARRAY_TASK_ID: "x" })).toBeUndefined();
});
