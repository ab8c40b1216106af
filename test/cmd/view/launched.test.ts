import { expect, test } from "bun:test";
import {
  nothingToCopyText,
  proofJobsText,
  readyJson,
  readyText,
  renderedJson,
  renderedText,
  submittedJson,
  submittedText,
  verifyLaterText,
} from "../../../cmd/view/launched.ts";
import { preservedWords } from "../../../cmd/view/start-words.ts";
import { parseRemotes } from "../../../lib/rclone/rclone-conf.ts";
import type { RunConfig } from "../../../lib/run/config.ts";

test.each([
  [
    renderedText("run", { num_shards: 1 }),
    "run: rendered for 1 shard; submit with: xfer slurm submit --run-dir run\n",
  ],
  [
    renderedText("run", { num_shards: 512 }),
    "run: rendered for 512 shards; submit with: xfer slurm submit --run-dir run\n",
  ],
  [readyText("run", null), "run: ready; submit with: xfer slurm submit --run-dir run\n"],
  [readyText("run", "4711"), "4711\n"],
  [submittedText("4711"), "4711\n"],
  [nothingToCopyText("size"), "nothing to copy: the destination holds every object, compared by size\n"],
  [
    proofJobsText({ jobId: "1", verifyJobId: "2", collectJobId: "3", problem: undefined }),
    "job 2 compares the destination after it, job 3 writes verify.json at the end",
  ],
  [
    proofJobsText({ jobId: "1", verifyJobId: null, collectJobId: "3", problem: undefined }),
    "job 3 writes verify.json at the end",
  ],
  [verifyLaterText("run"), "when the array has ended, compare the destination: xfer verify --run-dir run"],
])("%j", (text, expected) => expect(text).toBe(expected));

test("JSON has a schema and the run directory", () => {
  const config = { schema: "xfer.runconfig.v1", num_shards: 2 } as RunConfig;
  expect(renderedJson("run", config)).toEqual({ ...config, run_dir: "run" });
  expect(readyJson("run", null)).toEqual({ schema: "xfer.run.v1", run_dir: "run", job_id: null });
  expect(submittedJson("run", "4711")).toEqual({ schema: "xfer.submit.v1", job_id: "4711", run_dir: "run" });
  const proof = { jobId: "1", verifyJobId: "2", collectJobId: null, problem: "sbatch failed" };
  const ids = { job_id: "1", verify_job_id: "2", collect_job_id: null };
  expect(readyJson("run", "1", proof)).toEqual({ schema: "xfer.run.v1", run_dir: "run", ...ids });
  expect(submittedJson("run", "1", proof)).toEqual({ schema: "xfer.submit.v1", run_dir: "run", ...ids });
});

const context = { remotes: parseRemotes("[a]\ntype = s3\n[b]\ntype = s3\n"), env: {}, flags: new Map() };
const userMetadata = "content type, user metadata";

test.each([
  ["a:x", "b:y", "auto", [], true],
  ["a:x", "b:y", "off", [], false],
  // rclone's own flag wins over --no-metadata.
  ["a:x", "b:y", "off", ["--metadata"], true],
  ["a:x", "/data", "auto", [], false],
  // A remote that only the cluster knows.
  ["a:x", "far:y", "off", [], false],
] as const)("from %p to %p, metadata %s and %p", (source, dest, metadata, rcloneFlags, carried) => {
  const words = preservedWords({ source, dest }, context, { metadata, rcloneFlags });
  expect(words).toStartWith("preserved: content, size, modification time");
  expect((words.split("; not: ")[0] ?? "").includes(userMetadata)).toBe(carried);
});
