import type { AttemptState } from "../run/state/attempt.ts";
import { isValidDone } from "../run/state/done.ts";
import type { ShardLook } from "../run/state-reader.ts";
import type { ShardEntry } from "../shard/meta.ts";
import type { ShardTask } from "./tasks.ts";

/** How a shard stands, each in one word; docs/reference/status.md says what each means. */
export const shardStates = ["done", "running", "waiting", "requeue", "stopped", "failed", "stale"] as const;

export type ShardState = (typeof shardStates)[number];

/**
 * Seconds without a heartbeat, which comes every 2 s, after which an agent is taken for silent: a client of NFS may see a
 * file a minute late, and clocks differ.
 */
const staleSeconds = 120;

/** What a shard's state is judged by. */
export interface ShardFacts {
  isDone: boolean;
  /** Its .fail: there is none, another attempt follows by itself, or none does. */
  fail: "none" | "passing" | "final";
  /** The start that is under way, or the last one; undefined when there was none. */
  start: AttemptState | undefined;
  /** Seconds since the last sign of the agent. */
  silentSeconds: number;
  task: ShardTask;
}

/**
 * How a shard stands:
 *
 * | state files | its task in Slurm | state |
 * |---|---|---|
 * | a .done that counts | any | done |
 * | an agent with a heartbeat | any | running |
 * | an agent without | waits: Slurm starts it again | requeue |
 * | | runs, or is not known | stale |
 * | | there is none | stopped |
 * | a .fail that is final | of a later submission | requeue |
 * | | any other | failed |
 * | a start that failed, or was stopped | waits or runs | requeue |
 * | | there is none | stopped |
 * | | not known | requeue; stopped when it was cancelled, or its executor ended |
 * | no start | waits, or not known | waiting |
 * | | runs | running; waiting when the task has other shards, too |
 * | | there is none | stopped |
 */
export function shardStateOf({
  isDone,
  fail,
  start,
  silentSeconds,
  task,
}: Omit<ShardFacts, "start"> & {
  start: Pick<AttemptState, "outcome" | "stopped_by" | "submission"> | undefined;
}): ShardState {
  if (isDone) return "done";
  const isQueued = task.state === "running" || task.state === "pending";
  if (start?.outcome === "running") {
    if (silentSeconds < staleSeconds) return "running";
    if (task.state === "pending") return "requeue";
    return task.state === "absent" ? "stopped" : "stale";
  }
  if (fail === "final") {
    const isLater = isQueued && start !== undefined && start.submission !== `slurm:${task.jobId}`;
    return isLater ? "requeue" : "failed";
  }
  // A .done that is gone leaves a start without an outcome.
  if (start && start.outcome !== "done") {
    if (isQueued) return "requeue";
    if (task.state === "absent") return "stopped";
    return start.outcome === "stopped" && start.stopped_by === "other" ? "stopped" : "requeue";
  }
  if (task.state === "running") return task.isPacked ? "waiting" : "running";
  return task.state === "absent" ? "stopped" : "waiting";
}

/** Reads the facts of a shard from its files. Files of another content than the shard's say nothing. */
export function shardFacts(
  look: ShardLook,
  entry: Pick<ShardEntry, "sha256" | "records">,
  { task, nowMs }: { task: ShardTask; nowMs: number },
): ShardFacts {
  const { done, fail } = look;
  const isOwnFail = fail.kind === "value" && (fail.value.sha256 ?? entry.sha256) === entry.sha256;
  return {
    isDone: isValidDone(done, entry),
    fail: !isOwnFail ? "none" : fail.value.final ? "final" : "passing",
    start: startOf(look, entry),
    silentSeconds: Math.max(0, (nowMs - lastSignMs(look)) / 1000),
    task,
  };
}

/** The start that is under way, or the last one, of this content of the shard. */
export function startOf(
  { attempt }: Pick<ShardLook, "attempt">,
  { sha256 }: Pick<ShardEntry, "sha256">,
): AttemptState | undefined {
  return attempt.kind === "value" && attempt.value.sha256 === sha256 ? attempt.value : undefined;
}

/** When the agent of a shard was last heard of, by its own clock or the file system's, whichever is later. */
export function lastSignMs({ attempt, progress, writtenMs }: ShardLook): number {
  const started = attempt.kind === "value" ? Date.parse(attempt.value.started_at) || 0 : 0;
  const beat = progress.kind === "value" ? Date.parse(progress.value.updated_at) || 0 : 0;
  return Math.max(started, beat, writtenMs);
}
