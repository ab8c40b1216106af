import { expect, test } from "bun:test";
import {
  cancelJobs,
  complaintsIn,
  holdJobs,
  limitArray,
  releaseJobs,
} from "../../../lib/slurm/job-control.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { standIns } from "./stand-ins.ts";

test.each<[string, string[]]>([
  ["1_0-2: Job has already finished\n1_3-9: No error\n", []],
  ["1_0-9: Job has already finished\n", []],
  ["12_[0-2,5]: Job has already finished\n", []],
  ["Invalid job id specified for job 9\n", ["Invalid job id specified for job 9"]],
  ["1_0: Job has already finished\n1_1: Access/permission denied\n", ["1_1: Access/permission denied"]],
  ["", ["it said nothing"]],
])("scontrol that says %p complains of %p", (text, complaints) => {
  expect(complaintsIn(text)).toEqual(complaints);
});

test("the words for Slurm, and what comes of a refusal", async () => {
  using dir = temporaryDirectory("xfer-control-");
  const scontrol = 'echo "1_0-2: Job has already finished" >&2; echo "1_3: No error" >&2; exit 1';
  using slurm = standIns(dir.path, { scontrol, scancel: "echo 'error: no such thing' >&2; exit 1" });
  expect(await holdJobs(["1", "2"])).toBeUndefined();
  expect(await releaseJobs(["1"])).toBeUndefined();
  expect(await limitArray("1", 4)).toBeUndefined();
  expect(await cancelJobs(["1"])).toBe("scancel 1 failed (exit code 1): error: no such thing");
  expect(slurm.calls()).toEqual([
    ["scontrol", "uhold", "1", "2"],
    ["scontrol", "release", "1"],
    ["scontrol", "update", "JobId=1", "ArrayTaskThrottle=4"],
    ["scancel", "1"],
  ]);
});
