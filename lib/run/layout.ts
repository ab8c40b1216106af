import { join } from "node:path";
import { shardFileName, shardsMetaName } from "../shard/meta.ts";

/** The paths of everything in a run directory; docs/reference/run-directory.md says what each file holds. */
export interface RunLayout {
  dir: string;
  manifest: string;
  /** The records of the manifest that a delta planned. */
  delta: string;
  /** The totals of the delta, with how many records it found the same at the destination: xfer.delta.v1. */
  deltaTotals: string;
  shardsDir: string;
  shardsMeta: string;
  config: string;
  workerScript: string;
  sbatchScript: string;
  submitScript: string;
  binary: string;
  agentPath: string;
  logsDir: string;
  stateDir: string;
  submissions: string;
  /** What people and controllers did to the run: xfer.event.v1. */
  events: string;
  /** What the operator wants: xfer.control.v1. */
  control: string;
  /** Who throttles the run by itself: xfer.lease.v1. */
  throttleLease: string;
  /** The answer of the look at the destination, and the claim of the agent that is looking. */
  destination: string;
  destinationClaim: string;
  /** Why the last look failed, for the agents that waited for it. */
  destinationFailure: string;
  verifyList: string;
  verifyTotals: string;
  /** The keys of a sample, while a verification reads its objects. */
  verifyKeys: string;
  /** What the last job of a run that is proven in the queue reports. */
  report: string;
}

/** Names the files of the run directory `dir`. No file is touched. */
export function runLayout(dir: string): RunLayout {
  return {
    dir,
    manifest: join(dir, "manifest.jsonl"),
    delta: join(dir, "delta.jsonl"),
    deltaTotals: join(dir, "delta.json"),
    shardsDir: join(dir, "shards"),
    shardsMeta: join(dir, "shards", shardsMetaName),
    config: join(dir, "config.resolved.json"),
    workerScript: join(dir, "worker.sh"),
    sbatchScript: join(dir, "sbatch_array.sh"),
    submitScript: join(dir, "submit.sh"),
    binary: join(dir, "bin", "xfer"),
    agentPath: join(dir, "bin", "agent-path"),
    logsDir: join(dir, "logs"),
    stateDir: join(dir, "state"),
    submissions: join(dir, "submissions.jsonl"),
    events: join(dir, "events.jsonl"),
    control: join(dir, "state", "control"),
    throttleLease: join(dir, "state", "throttle.lease"),
    destination: join(dir, "state", "destination.json"),
    destinationClaim: join(dir, "state", "destination.claim"),
    destinationFailure: join(dir, "state", "destination.failed"),
    verifyList: join(dir, "verify.jsonl"),
    verifyTotals: join(dir, "verify.json"),
    verifyKeys: join(dir, "verify.keys"),
    report: join(dir, "report.md"),
  };
}

/** The paths of all files of one shard. */
export interface ShardLayout {
  /** The shard's records. */
  records: string;
  attempt: string;
  done: string;
  fail: string;
  progress: string;
  journal: string;
  /** How the shard stood at times, a line a minute. */
  samples: string;
  lock: string;
  /** What the look at the destination says of each record. */
  found: string;
  verify: string;
  verifyList: string;
  /** The keys of the pass that is under way, for --files-from-raw. */
  keys: string;
  /** The output of the shard's agent under the local executor. */
  agentOutput: string;
  log(attempt: number): string;
}

/** Names the files of one shard of a run directory. No file is touched. */
export function shardLayout(run: RunLayout, shard: number): ShardLayout {
  const state = join(run.stateDir, `shard_${shard}`);
  return {
    records: join(run.shardsDir, shardFileName(shard)),
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
    agentOutput: join(run.logsDir, `agent_${shard}.out`),
    log: (attempt) => join(run.logsDir, `shard_${shard}_attempt_${attempt}.log`),
  };
}
