import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runLayout } from "../../../lib/run/layout.ts";
import { noteSubmission } from "../../../lib/run/submissions.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const now = new Date("2026-11-25T08:00:00.123Z");

test("each submission is a line, and the earlier ones stay as they are", () => {
  using dir = temporaryDirectory();
  const run = runLayout(dir.path);
  noteSubmission(run, { jobId: "12", numShards: 5_000, numTasks: 1_000, now });
  noteSubmission(run, { jobId: "4294967294", numShards: 1, numTasks: 1, now });
  expect(readFileSync(join(dir.path, "submissions.jsonl"), "utf8")).toBe(
    '{"schema":"xfer.submission.v1","job_id":"12","num_shards":5000,"num_tasks":1000,' +
      '"submitted_at":"2026-11-25T08:00:00.123Z"}\n' +
      '{"schema":"xfer.submission.v1","job_id":"4294967294","num_shards":1,"num_tasks":1,' +
      '"submitted_at":"2026-11-25T08:00:00.123Z"}\n',
  );
});

test("a note that cannot be written says where it should be", () => {
  using dir = temporaryDirectory();
  const run = runLayout(join(dir.path, "gone"));
  expect(() => noteSubmission(run, { jobId: "1", numShards: 1, numTasks: 1, now })).toThrow(run.submissions);
  expect(existsSync(run.dir)).toBe(false);
  const other = runLayout(dir.path);
  mkdirSync(other.submissions);
  expect(() => noteSubmission(other, { jobId: "1", numShards: 1, numTasks: 1, now })).toThrow(
    `${other.submissions}: cannot be written: is a directory`,
  );
});
