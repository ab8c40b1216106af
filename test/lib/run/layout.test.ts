import { expect, test } from "bun:test";
import { runLayout, shardLayout } from "../../../lib/run/layout.ts";

const run = runLayout("/data/my run");

/** The names that users' scripts and earlier builds know: they do not change. */
const names: Record<keyof typeof run, string> = {
  dir: "",
  manifest: "/manifest.jsonl",
  delta: "/delta.jsonl",
  deltaTotals: "/delta.json",
  shardsDir: "/shards",
  shardsMeta: "/shards/shards.meta.json",
  config: "/config.resolved.json",
  workerScript: "/worker.sh",
  sbatchScript: "/sbatch_array.sh",
  submitScript: "/submit.sh",
  binary: "/bin/xfer",
  agentPath: "/bin/agent-path",
  logsDir: "/logs",
  stateDir: "/state",
  submissions: "/submissions.jsonl",
  events: "/events.jsonl",
  control: "/state/control",
  throttleLease: "/state/throttle.lease",
  destination: "/state/destination.json",
  destinationClaim: "/state/destination.claim",
  destinationFailure: "/state/destination.failed",
  verifyList: "/verify.jsonl",
  verifyTotals: "/verify.json",
  verifyKeys: "/verify.keys",
  report: "/report.md",
};

test("the files of a run have the names of the contract", () => {
  expect(Object.fromEntries(Object.entries(run).map(([what, path]) => [what, path]))).toEqual(
    Object.fromEntries(Object.entries(names).map(([what, name]) => [what, `/data/my run${name}`])),
  );
});

test.each([
  [0, "shard_000000.jsonl"],
  [12, "shard_000012.jsonl"],
  [999_999, "shard_999999.jsonl"],
  [1_000_000, "shard_1000000.jsonl"],
])("the files of shard %d", (shard, records) => {
  const { log, ...files } = shardLayout(run, shard);
  const state = `/data/my run/state/shard_${shard}`;
  expect(files).toEqual({
    records: `/data/my run/shards/${records}`,
    attempt: `${state}.attempt`,
    done: `${state}.done`,
    fail: `${state}.fail`,
    progress: `${state}.progress`,
    journal: `${state}.journal`,
    samples: `${state}.samples`,
    lock: `${state}.lock`,
    found: `${state}.found`,
    verify: `${state}.verify`,
    verifyList: `${state}.verify.jsonl`,
    keys: `${state}.keys`,
    agentOutput: `/data/my run/logs/agent_${shard}.out`,
  });
  expect(log(3)).toBe(`/data/my run/logs/shard_${shard}_attempt_3.log`);
});

test("no two things share a file", () => {
  const { log, ...shard } = shardLayout(run, 1);
  const paths = [...Object.values(run), ...Object.values(shard), log(1), log(2), log(11)];
  const other = shardLayout(run, 11);
  paths.push(other.records, other.attempt, other.done, other.log(1));
  expect(new Set(paths).size).toBe(paths.length);
});

test("a relative run directory stays relative: it may be moved", () => {
  expect(runLayout(".").config).toBe("config.resolved.json");
  expect(shardLayout(runLayout("."), 2).done).toBe("state/shard_2.done");
});
