import * as v from "valibot";
import { count, digest } from "../../system/schemas.ts";
import { processIdentity, readState, type StateFile } from "./state-file.ts";

/** What ended a start from outside. */
const stopCauses = ["walltime", "preemption", "other"] as const;

export type StopCause = (typeof stopCauses)[number];

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

/** Reads a shard's .attempt; a file that is empty, torn or foreign is "unreadable", with the reason. */
export const readAttempt = (path: string): StateFile<AttemptState> => readState(path, attemptSchema);
