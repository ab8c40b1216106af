import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type JobEnding,
  parseJobEnding,
  type TermMeaning,
  termMeaning,
} from "../../../lib/slurm/job-ending.ts";

/** What `scontrol --oneliner show job` of Slurm 22.05 printed of an array task 0.3 s after a TERM reached it. */
const shown = (name: string) =>
  readFileSync(join(import.meta.dir, "..", "..", "data", "slurm", `job-${name}.txt`), "utf8");

const rows: [string, JobEnding, TermMeaning][] = [
  ["running", { restarts: 0, preempted: false }, "cancelled"],
  ["pending", { restarts: 0, preempted: false }, "cancelled"],
  ["cancelled", { restarts: 0, preempted: false }, "cancelled"],
  ["requeued", { restarts: 1, preempted: false }, "requeued"],
  ["preempted-requeued", { restarts: 1, preempted: false }, "requeued"],
  ["preempted-cancelled", { restarts: 0, preempted: true }, "preempted"],
];

describe("what a TERM means, from what Slurm says of the job", () => {
  for (const [name, ending, meaning] of rows) {
    test(name, () => {
      expect(parseJobEnding(shown(name))).toEqual(ending);
      expect(termMeaning(parseJobEnding(shown(name)), 0)).toBe(meaning);
    });
  }

  test("a restart that was counted before this start means nothing", () => {
    const ending = parseJobEnding(shown("requeued"));
    expect(termMeaning(ending, 1)).toBe("cancelled");
    expect(termMeaning({ ...ending, preempted: true }, 1)).toBe("preempted");
    expect(termMeaning({ ...ending, restarts: 12 }, 11)).toBe("requeued");
  });

  test("a job's own words are no fields, and nothing is no ending", () => {
    expect(parseJobEnding("")).toEqual({ restarts: 0, preempted: false });
    expect(parseJobEnding("slurm_load_jobs error: Invalid job id specified")).toEqual({
      restarts: 0,
      preempted: false,
    });
  });
});
