import * as v from "valibot";
import { count, digest } from "../../system/schemas.ts";
import { processIdentity, readState, type StateFile } from "./state-file.ts";

/** The causes that end a start from outside. */
const stopCauses = ["walltime", "preemption", "other", "pause"] as const;

export type StopCause = (typeof stopCauses)[number];

/** What the submissions before the present one spent on a shard. */
const pastSchema = v.object({
  submissions: count,
  attempts: count,
  walltime_stops: count,
  preemptions: count,
  lost_starts: count,
  other_stops: count,
});

export type PastSubmissions = v.InferOutput<typeof pastSchema>;

/** The schema of a shard's .attempt. */
export const attemptSchema = v.object({
  schema: v.literal("xfer.attempt.v1"),
  shard: count,
  sha256: digest,
  /** The number of this start, from 1. Every start of the agent has its own number and its own log. */
  attempt: count,
  /** The submission of this start: "slurm:<array job id>" or "local:<id>". A new submission has a new budget of attempts. */
  submission: v.string(),
  /** Attempts of this submission that were spent before this start: failures, and starts that made no progress. */
  spent: count,
  /** Starts of this submission that the time limit ended. */
  walltime_stops: v.optional(count, 0),
  /** Starts that Slurm ended to requeue them: preempted, or requeued from outside. */
  preemptions: v.optional(count, 0),
  /** Starts that ended without an outcome: the agent was killed, or its node was lost. */
  lost_starts: v.optional(count, 0),
  /** Starts that another signal ended: the job was cancelled, or the executor stopped. */
  other_stops: v.optional(count, 0),
  /** How many of all these starts proved nothing and ended before they got to copy. */
  early_stops: v.optional(count, 0),
  /** Nodes on which no container started in this submission. These starts spend no attempt. */
  bad_nodes: v.optional(v.array(v.string()), []),
  /** The --transfers that throttling has brought the shard down to; null for the user's own. */
  transfers: v.optional(v.nullable(v.pipe(count, v.minValue(1))), null),
  /** Of the submissions before this one, the attempts that were spent, and the starts that were ended from outside; none when there was no other. */
  past: v.optional(pastSchema),
  outcome: v.picklist(["running", "stopped", "failed", "bad-node", "done"]),
  stopped_by: v.optional(v.nullable(v.picklist(stopCauses)), null),
  /** Records that were proven when this attempt started. */
  proven_at_start: count,
  /** Whether this start had time to prove something: a whole pass, or a minute of copying. Null in files of earlier builds. */
  got_to_copy: v.optional(v.nullable(v.boolean()), null),
  /** The node's name in Slurm, or the host's. */
  node: v.string(),
  /** The host, its boot and its pid namespace, where the pids of the next two fields mean something. */
  host: v.string(),
  boot: v.optional(v.nullable(v.string()), null),
  pid_namespace: v.optional(v.nullable(v.string()), null),
  agent: processIdentity,
  /** The leader of rclone's process group, while one runs. */
  child: v.nullable(processIdentity),
  started_at: v.string(),
});

/** The content of a shard's .attempt: the start that is under way, or the last one. */
export type AttemptState = v.InferOutput<typeof attemptSchema>;

/** Reads a shard's .attempt; a file that is empty, torn or foreign is "unreadable", with the reason. */
export const readAttempt = (path: string): StateFile<AttemptState> => readState(path, attemptSchema);
