import { describe, expect, test } from "bun:test";
import verify, { optionsOf } from "../../cmd/verify.ts";
import { optionsGiven, toldOf } from "./command-line.ts";

type Input = Parameters<typeof optionsOf>[0];

const asked = async (line: string) => optionsOf(await optionsGiven<Input>(verify, `--run-dir run ${line}`));

describe("xfer verify: what its flags ask for", () => {
  const all = { runDir: "run", json: false, allowsUntransferable: false };
  const here = {
    ...all,
    how: "here",
    checksum: "auto",
    imageCheck: true,
    downloadSample: 0,
    listParallel: 1,
  };
  const array = { how: "array", checksum: "auto", imageCheck: true, after: undefined };
  const rows: [string, object][] = [
    ["", here],
    ["--executor local --json", { ...here, json: true }],
    ["--checksum require --download-sample 10", { ...here, checksum: "require", downloadSample: 10 }],
    ["--list-parallel 256 --no-image-check", { ...here, listParallel: 256, imageCheck: false }],
    ["--allow-untransferable", { ...here, allowsUntransferable: true }],
    ["--executor slurm", { ...all, ...array }],
    ["--executor slurm --checksum off", { ...all, ...array, checksum: "off" }],
    ["--executor slurm --after 4711", { ...all, ...array, after: "4711" }],
    ["--collect", { ...all, how: "collect" }],
    ["--collect --executor slurm", { ...all, how: "collecting job", checksum: "auto", after: undefined }],
    [
      "--collect --executor slurm --after 1 --checksum require --allow-untransferable",
      {
        ...{ ...all, allowsUntransferable: true },
        ...{ how: "collecting job", checksum: "require", after: "1" },
      },
    ],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await asked(line)).toEqual(options as Awaited<ReturnType<typeof asked>>);
  });

  test.each([
    ["--executor slurm --download-sample 1", "--download-sample is for --executor local"],
    ["--after 1", "--after is for --executor slurm"],
    ["--collect --after 1", "--after is for --executor slurm"],
  ])("%s is refused", async (line, told) => {
    await expect(asked(line)).rejects.toThrow(new Error(told));
  });
});

describe("xfer verify: a wrong value is told", () => {
  const rows: [string, string][] = [
    ["", "--run-dir is missing"],
    ["--run-dir run --executor pbs", '--executor: must be one of local, slurm, not "pbs"'],
    ["--run-dir run --checksum md5", '--checksum: must be one of auto, require, off, not "md5"'],
    [
      "--run-dir run --download-sample some",
      '--download-sample: must be a whole number of at least 0, not "some"',
    ],
    ["--run-dir run --after 12_3", '--after: "12_3" is no job id: write the number that sbatch gave'],
    ["--run-dir run --list-parallel 257", '--list-parallel: must be at most 256, not "257"'],
    ["--run-dir run --list-parallel 0", '--list-parallel: must be at least 1, not "0"'],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(verify, line)).toBe(told);
  });
});
