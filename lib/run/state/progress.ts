import * as v from "valibot";
import { failureClasses } from "../../rclone/failure-class.ts";
import { count, digest } from "../../system/schemas.ts";
import { readState, type StateFile } from "./state-file.ts";

const hindranceSchema = v.object({
  class: v.picklist(failureClasses),
  /** A text for people: "the destination refuses connections". */
  message: v.string(),
  since: v.string(),
  /** When the next pass begins; null while a pass is under way. */
  next_pass_at: v.nullable(v.string()),
});

/** The reason why a shard waits. */
export type HindranceState = v.InferOutput<typeof hindranceSchema>;

/** The schema of a shard's .progress. */
export const progressSchema = v.object({
  schema: v.literal("xfer.progress.v1"),
  shard: count,
  sha256: digest,
  attempt: count,
  pass: count,
  node: v.string(),
  records: count,
  bytes: count,
  /** How many objects are proven, and their bytes. */
  objects_done: count,
  bytes_done: count,
  /** How many of these were found identical at the destination. */
  objects_unchanged: v.optional(count, 0),
  bytes_unchanged: v.optional(count, 0),
  /** Bytes that rclone has moved of objects that are not proven yet. */
  bytes_in_flight: count,
  bytes_per_second: v.number(),
  eta_seconds: v.nullable(v.number()),
  errors: count,
  /** How many requests of this attempt the store refused by throttling: SlowDown, 503, 429. */
  throttled: v.optional(count, 0),
  /** How many of the last half minute's requests the store refused, and rclone's --transfers; null where it refuses none. */
  throttling: v.optional(
    v.nullable(v.object({ refused: count, requests: count, transfers: count, wanted: count })),
    null,
  ),
  /** rclone's --transfers, when throttling has lowered it. */
  transfers: v.optional(v.nullable(count), null),
  /** Why the shard waits; null while it does not. */
  hindrance: v.optional(v.nullable(hindranceSchema), null),
  /** The copy plan's reason. */
  plan: v.string(),
  updated_at: v.string(),
});

/** The content of a shard's .progress, rewritten every few seconds. */
export type ProgressState = v.InferOutput<typeof progressSchema>;

/** Reads a shard's .progress; a file that is empty, torn or foreign is "unreadable", with the reason. */
export const readProgress = (path: string): StateFile<ProgressState> => readState(path, progressSchema);
