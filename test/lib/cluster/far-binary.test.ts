import { expect, test } from "bun:test";
import { startProblem } from "../../../lib/cluster/far-binary.ts";

test.each([
  [
    126,
    "sh: 1: exec: /r/.xfer/bin/xfer: Permission denied",
    /^may not be executed .*noexec.*run root on another/,
  ],
  [
    1,
    "/r/x: /lib64/libc.so.6: version `GLIBC_2.17' not found (required by /r/x)",
    /^does not start: .*C library is too old \(it lacks GLIBC_2\.17\)/,
  ],
  [
    126,
    "sh: line 1: /r/x: cannot execute binary file: Exec format error",
    /^is for another processor.*--cluster-binary/,
  ],
  [2, '/r/x: 1: Syntax error: "(" unexpected', /^is for another processor/],
  [127, "sh: 1: exec: /r/x: not found", /^does not start: the system has no glibc/],
  [132, "Illegal instruction", /^does not start: the processor is too old/],
  [134, "one\npanic: out of memory\n", /^does not start: panic: out of memory$/],
  [137, "", /^does not start: exit code 137$/],
] as [number, string, RegExp][])("exit code %d and %j is told in one line", (code, stderr, problem) => {
  expect(startProblem(code, stderr)).toMatch(problem);
  expect(startProblem(code, stderr)).not.toContain("\n");
});
