import { type Amount, accountOf } from "../run/account.ts";
import { throttlingOf } from "../run/snapshot.ts";
import type { ControlState } from "../run/state/control.ts";
import { runHindrance } from "../run/state/hindrance.ts";
import type { StateFile } from "../run/state/state-file.ts";
import type { StateLook } from "../run/state-reader.ts";
import type { SubmittedJob } from "../run/submissions.ts";
import type { ShardsMeta } from "../shard/meta.ts";
import type { QueuedTasks } from "../slurm/squeue.ts";
import { type ExitCode, exitCodes } from "../system/errors.ts";
import { type FailureGroup, groupFailures } from "./failure-groups.ts";
import { type JobRow, jobRows } from "./job-rows.ts";
import { type NextStep, nextStep } from "./next-step.ts";
import type { Eta } from "./pace.ts";
import { bytesInFlight, etaOfRun, type Rate, rateOf, requestsRefused } from "./rates.ts";
import { type ShardRow, shardRow, sortRows } from "./shard-rows.ts";
import { lastSignMs, type ShardState, startOf } from "./shard-state.ts";
import { endedOf, isoOf, sinceOf } from "./span.ts";
import { countsOf, jobsOf, type Standing, standingOf } from "./standing.ts";
import { type Starts, startsOf } from "./starts.ts";
import { warningsOf } from "./status-warnings.ts";

/** All that a status is made of: the files as they were read, the queue as it was told, and the time. */
export interface RunFacts {
  runDir: string;
  runId: string | null;
  roots: { source_root: string; dest_root: string } | null;
  meta: Pick<ShardsMeta, "num_shards" | "num_records" | "bytes_total" | "shards">;
  look: StateLook;
  /** What is in no shard. */
  outside: { untransferable: Amount; same: Amount };
  submissions: readonly SubmittedJob[];
  /** Undefined when Slurm was not asked, or did not answer. */
  queue: readonly QueuedTasks[] | undefined;
  control: StateFile<ControlState>;
  /** What verify.json says; null when there is none. */
  verified: boolean | null;
  nowMs: number;
}

/** How a run stands, schema xfer.status.v1; docs/reference/status.md says what each field means. */
export interface RunStatus {
  schema: "xfer.status.v1";
  at: string;
  run_dir: string;
  run_id: string | null;
  source_root: string | null;
  dest_root: string | null;
  since: string | null;
  /** When the last shard was done; null before. */
  ended_at: string | null;
  jobs: JobRow[];
  /** Whether Slurm was asked and answered. */
  slurm: boolean;
  paused: { at: string; by: string } | null;
  listed: Amount;
  proven: Amount;
  copied: Amount;
  unchanged: Amount;
  untransferable: Amount;
  bytes_in_flight: number;
  rate: Rate;
  eta: Eta | null;
  shards: { total: number } & Record<ShardState, number>;
  stale: { shard: number; node: string | null; since: string }[];
  starts: Starts;
  throttled: number;
  throttling: ReturnType<typeof throttlingOf>;
  hindrance: { message: string; shards: number; since: string; next_pass_at: string | null } | null;
  slowest: ShardRow[];
  failures: FailureGroup[];
  warnings: { total: number; first: string[] };
  verified: boolean | null;
  next: NextStep;
}

/** One status, and all that lists of shards are made of. */
export interface RunReading {
  status: RunStatus;
  rows: () => ShardRow[];
}

const slowestShown = 5;
const listedMax = 20;

/** Makes the status of a run of what was read. Nothing that a file holds makes it throw. */
export function statusOf(facts: RunFacts): RunReading {
  const { meta, look, queue, nowMs, verified } = facts;
  const standing = standingOf(facts);
  const account = accountOf(meta, look.shards, facts.outside.untransferable, facts.outside.same);
  const running = standing.filter(({ state }) => state === "running");
  const proven = sumOf(account.copied, account.unchanged);
  const ended = endedOf(standing);
  const since = sinceOf(facts.submissions, standing);
  const rate = rateOf(running, nowMs, { account, since, ended });
  const jobs = jobRows(jobsOf(facts), queue);
  const rowOf = (one: Standing) => shardRow(one.shard, one);
  const warnings = warningsOf(facts, account, standing);
  const parts = {
    ...{ jobs, paused: pausedOf(facts.control), shards: { total: meta.num_shards, ...countsOf(standing) } },
    ...{ untransferable: account.untransferable, starts: startsOf(standing), failures: failuresOf(standing) },
    ...{ verified, hindrance: hindranceOf(running) },
  };
  const status: RunStatus = {
    ...{ schema: "xfer.status.v1", at: isoOf(nowMs), run_dir: facts.runDir, run_id: facts.runId },
    ...{ source_root: facts.roots?.source_root ?? null, dest_root: facts.roots?.dest_root ?? null },
    ...{
      since: since === undefined ? null : isoOf(since),
      ended_at: ended === undefined ? null : isoOf(ended),
    },
    ...{ slurm: queue !== undefined && jobs.length > 0, listed: account.listed, proven },
    ...{ copied: account.copied, unchanged: account.unchanged },
    ...{ bytes_in_flight: bytesInFlight(running), rate },
    eta: etaOfRun({ account, proven, rate, running, standing, nowMs }),
    stale: standing.flatMap((one) => (one.state === "stale" ? [staleOf(one)] : [])).slice(0, listedMax),
    ...{ throttled: requestsRefused(standing), throttling: throttlingOf(running.map((one) => one.look)) },
    slowest: sortRows(running.map(rowOf), "eta").slice(0, slowestShown),
    warnings: { total: warnings.length, first: warnings.slice(0, listedMax) },
    ...parts,
    next: nextStepOf(parts),
  };
  return { status, rows: () => standing.map(rowOf) };
}

/** What to do now, of what was found. */
function nextStepOf(
  status: Pick<
    RunStatus,
    "shards" | "jobs" | "paused" | "starts" | "hindrance" | "failures" | "untransferable" | "verified"
  >,
): NextStep {
  const { shards, jobs, failures } = status;
  const failedClasses = [...new Set(failures.filter((one) => one.num_final > 0).map((one) => one.class))];
  const isActive = (job: JobRow) => job.running + job.pending > 0;
  return nextStep({
    ...{ shards, failedClasses, verified: status.verified, isPaused: status.paused !== null },
    isBegun: jobs.length > 0 || status.starts.total > 0,
    isHeld: shards.running === 0 && jobs.some((job) => isActive(job) && /Held/.test(job.reason ?? "")),
    isHindered: status.hindrance !== null,
    untransferable: status.untransferable.objects,
    isVerifying: jobs.some((job) => job.kind !== "copy" && isActive(job)),
  });
}

/** The operator's wish that tasks stop, where that is the wish. */
function pausedOf(control: RunFacts["control"]): RunStatus["paused"] {
  if (control.kind !== "value" || control.value.wanted !== "pause") return null;
  return { at: control.value.at, by: control.value.by };
}

function hindranceOf(running: readonly Standing[]): RunStatus["hindrance"] {
  const found = runHindrance(running.map(({ look }) => look));
  if (!found) return null;
  const { message, shards, sinceMs, nextPassMs } = found;
  const next_pass_at = nextPassMs === undefined ? null : isoOf(nextPassMs);
  return { message, shards, since: isoOf(sinceMs), next_pass_at };
}

function failuresOf(standing: readonly Standing[]): FailureGroup[] {
  const failed = standing.filter(({ facts }) => !facts.isDone && facts.fail !== "none");
  return groupFailures(
    failed.map(({ shard, look, state }) => ({
      ...{ shard, isFinal: state === "failed", failures: look.failures },
    })),
  );
}

const staleOf = ({ shard, look, entry }: Standing) => ({
  ...{ shard, node: startOf(look, entry)?.node ?? null, since: isoOf(lastSignMs(look)) },
});

const sumOf = (one: Amount, other: Amount): Amount => ({
  objects: one.objects + other.objects,
  bytes: one.bytes + other.bytes,
});

/**
 * The exit code of a status:
 *
 * | shards | code |
 * |---|---|
 * | all done, nothing untransferable or that is allowed | 0 |
 * | one failed for good; or all done, and something is untransferable | 1 |
 * | any other | 75 |
 */
export function statusCode(
  { shards, untransferable }: Pick<RunStatus, "shards" | "untransferable">,
  allowsUntransferable: boolean,
): ExitCode {
  if (shards.failed > 0) return exitCodes.failed;
  if (shards.done < shards.total) return exitCodes.resumable;
  return untransferable.objects > 0 && !allowsUntransferable ? exitCodes.failed : exitCodes.done;
}
