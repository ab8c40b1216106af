import * as v from "valibot";
import { count, digest } from "../../system/schemas.ts";
import { readState, type StateFile } from "./state-file.ts";

/** The schema of a shard's .done. */
export const doneSchema = v.object({
  schema: v.literal("xfer.done.v1"),
  shard: count,
  sha256: digest,
  records: count,
  bytes: count,
  /** How many of these rclone copied. The rest was found identical at the destination. */
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

/** Reads a shard's .done; a file that is empty, torn or foreign is "unreadable", with the reason. */
export const readDone = (path: string): StateFile<DoneState> => readState(path, doneSchema);

/** Whether a .done is of this shard's content: it has the same digest and number of records. */
export function isValidDone(done: StateFile<DoneState>, shard: { sha256: string; records: number }): boolean {
  return done.kind === "value" && done.value.sha256 === shard.sha256 && done.value.records === shard.records;
}
