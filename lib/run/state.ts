import * as v from "valibot";
import { failureClasses } from "../rclone/failure-class.ts";
import { readTextIfAny, writeFileDurable } from "../system/durable.ts";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const processIdentity = v.object({ pid: count, start: v.string() });

/** What ended a start from outside. */
const stopCauses = ["walltime", "preemption", "other"] as const;

export type StopCause = (typeof stopCauses)[number];

// In all of these, a field that came after the schema's first writer is optional, with its default: the state of an
// earlier build counts.

const attemptSchema = v.object({
  schema: v.literal("xfer.attempt.v1"),
  shard: count,
  sha256: digest,
  /** The number of this start, from 1; every start of the agent has its own, and its own log. */
  attempt: count,
  /** What started it: "slurm:<array job id>" or "local:<id>"; a new submission has a new budget of attempts. */
  submission: v.string(),
  /** Attempts of this submission that are spent before this one: failures, and starts that made no progress. */
  spent: count,
  /** Starts of this submission that the time limit ended. */
  walltime_stops: v.optional(count, 0),
  /** Starts that Slurm ended to requeue them: preempted, or requeued from outside. */
  preemptions: v.optional(count, 0),
  /** Starts that ended without an outcome: killed, or the node gone. */
  lost_starts: v.optional(count, 0),
  /** Starts that another signal ended: cancelled, or the executor stopped. */
  other_stops: v.optional(count, 0),
  /** Of all these starts: those that proved nothing and ended before they got to copy. */
  early_stops: v.optional(count, 0),
  /** Nodes on which no container started in this submission; those starts spend no attempt. */
  bad_nodes: v.optional(v.array(v.string()), []),
  /** The --transfers that throttling has brought the shard down to; null for the user's own. */
  transfers: v.optional(v.nullable(v.pipe(count, v.minValue(1))), null),
  outcome: v.picklist(["running", "stopped", "failed", "bad-node", "done"]),
  stopped_by: v.optional(v.nullable(v.picklist(stopCauses)), null),
  /** Records that were proven when this attempt started. */
  proven_at_start: count,
  /** Whether it had its chance to prove something: a whole pass, or a minute of copying; null in files of earlier builds. */
  got_to_copy: v.optional(v.nullable(v.boolean()), null),
  /** The node's name in Slurm, or the host's. */
  node: v.string(),
  /** Where the pids of the next two mean something: the host, which start of its kernel, and the pid namespace. */
  host: v.string(),
  boot: v.optional(v.nullable(v.string()), null),
  pid_namespace: v.optional(v.nullable(v.string()), null),
  agent: processIdentity,
  /** The leader of rclone's process group, while one runs. */
  child: v.nullable(processIdentity),
  started_at: v.string(),
});

/** The content of a shard's .attempt: what runs or ran last. */
export type AttemptState = v.InferOutput<typeof attemptSchema>;

const doneSchema = v.object({
  schema: v.literal("xfer.done.v1"),
  shard: count,
  sha256: digest,
  records: count,
  bytes: count,
  /** Of these, the objects and bytes that rclone copied; the rest were found identical at the destination. */
  copied: count,
  copied_bytes: count,
  /** The roots between which the shard was copied. */
  source_root: v.optional(v.string()),
  dest_root: v.optional(v.string()),
  attempt: count,
  node: v.string(),
  finished_at: v.string(),
});

/** The content of a shard's .done: every one of its records is proven. */
export type DoneState = v.InferOutput<typeof doneSchema>;

const failSchema = v.object({
  schema: v.literal("xfer.fail.v1"),
  shard: count,
  sha256: v.nullable(digest),
  class: v.picklist(failureClasses),
  /** Whether no further attempt of this submission follows by itself. */
  final: v.boolean(),
  message: v.string(),
  /** rclone's exit code in the last pass; null when none was started. */
  exit_code: v.nullable(v.number()),
  records: count,
  bytes: count,
  proven: count,
  proven_bytes: count,
  /** Of the proven, what was found identical at the destination; the rest was copied. */
  unchanged: v.optional(count, 0),
  unchanged_bytes: v.optional(count, 0),
  failed: count,
  failed_bytes: count,
  attempt: count,
  node: v.string(),
  failed_at: v.string(),
  /** The first 1,000 objects that are not proven; the shard's log has all of them. */
  errors: v.array(
    v.object({ path: v.string(), size: count, class: v.picklist(failureClasses), message: v.string() }),
  ),
});

/** The content of a shard's .fail: what is not proven, and why. */
export type FailState = v.InferOutput<typeof failSchema>;

const hindranceSchema = v.object({
  class: v.picklist(failureClasses),
  /** As people read it: "the destination refuses connections". */
  message: v.string(),
  since: v.string(),
  /** While a pass is waited for: when it begins. */
  next_pass_at: v.nullable(v.string()),
});

/** What keeps a shard from being copied on. */
export type HindranceState = v.InferOutput<typeof hindranceSchema>;

const progressSchema = v.object({
  schema: v.literal("xfer.progress.v1"),
  shard: count,
  sha256: digest,
  attempt: count,
  pass: count,
  node: v.string(),
  records: count,
  bytes: count,
  /** Objects proven, and their bytes. */
  objects_done: count,
  bytes_done: count,
  /** Of these, what was found identical at the destination. */
  objects_unchanged: v.optional(count, 0),
  bytes_unchanged: v.optional(count, 0),
  /** Bytes of objects under way that rclone has moved, beside bytes_done. */
  bytes_in_flight: count,
  bytes_per_second: v.number(),
  eta_seconds: v.nullable(v.number()),
  errors: count,
  /** Requests of this attempt that the store refused by throttling: SlowDown, 503, 429. */
  throttled: v.optional(count, 0),
  /** How many of the last half minute's requests it refused, and rclone's --transfers; null where it refuses none. */
  throttling: v.optional(
    v.nullable(v.object({ refused: count, requests: count, transfers: count, wanted: count })),
    null,
  ),
  /** rclone's --transfers, when throttling has lowered it. */
  transfers: v.optional(v.nullable(count), null),
  /** Why nothing is proven at this moment; null while something is. */
  hindrance: v.optional(v.nullable(hindranceSchema), null),
  /** The copy plan's reason. */
  plan: v.string(),
  updated_at: v.string(),
});

/** The content of a shard's .progress, rewritten every few seconds. */
export type ProgressState = v.InferOutput<typeof progressSchema>;

/** What a reader finds in a state file: a value, nothing, or something that is not to be relied on. */
export type StateFile<T> =
  | { kind: "value"; value: T }
  | { kind: "none" }
  | { kind: "unreadable"; reason: string };

function readState<S extends v.GenericSchema>(path: string, schema: S): StateFile<v.InferOutput<S>> {
  const text = readTextIfAny(path);
  if (text === undefined) return { kind: "none" };
  if (text.trim() === "") return { kind: "unreadable", reason: `${path}: is empty` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "unreadable", reason: `${path}: is torn or is not JSON` };
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return { kind: "value", value: result.output };
  const issue = result.issues[0];
  return { kind: "unreadable", reason: `${path}: ${v.getDotPath(issue) ?? ""} ${issue.message}` };
}

/** Reads a shard's .attempt; a file that is empty, torn or foreign is "unreadable", with the reason. */
export const readAttempt = (path: string): StateFile<AttemptState> => readState(path, attemptSchema);

/** Reads a shard's .done; a file that is empty, torn or foreign is "unreadable", with the reason. */
export const readDone = (path: string): StateFile<DoneState> => readState(path, doneSchema);

/** Reads a shard's .fail; a file that is empty, torn or foreign is "unreadable", with the reason. */
export const readFail = (path: string): StateFile<FailState> => readState(path, failSchema);

/** Reads a shard's .progress; a file that is empty, torn or foreign is "unreadable", with the reason. */
export const readProgress = (path: string): StateFile<ProgressState> => readState(path, progressSchema);

/** Writes a state file durably; the process that owns the shard is its one writer. */
export function writeState(path: string, state: AttemptState | DoneState | FailState): void {
  writeFileDurable(path, `${JSON.stringify(state)}\n`);
}

/** Whether a .done proves this very shard: same digest, same number of records. */
export function isValidDone(done: StateFile<DoneState>, shard: { sha256: string; records: number }): boolean {
  return done.kind === "value" && done.value.sha256 === shard.sha256 && done.value.records === shard.records;
}
