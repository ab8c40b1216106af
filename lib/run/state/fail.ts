import * as v from "valibot";
import { failureClasses } from "../../rclone/failure-class.ts";
import { count, digest } from "../../system/schemas.ts";
import { readState, type StateFile, writeState } from "./state-file.ts";

/** The schema of a shard's .fail. */
export const failSchema = v.object({
  schema: v.literal("xfer.fail.v1"),
  shard: count,
  sha256: v.nullable(digest),
  class: v.picklist(failureClasses),
  /** Whether no further attempt of this submission follows without the user. */
  final: v.boolean(),
  message: v.string(),
  /** rclone's exit code in the last pass; null when rclone was not started. */
  exit_code: v.nullable(v.number()),
  records: count,
  bytes: count,
  proven: count,
  proven_bytes: count,
  /** How much of the proven was found identical at the destination. The rest was copied. */
  unchanged: v.optional(count, 0),
  unchanged_bytes: v.optional(count, 0),
  failed: count,
  failed_bytes: count,
  attempt: count,
  node: v.string(),
  failed_at: v.string(),
  /** The first 1,000 objects that are not proven. The shard's log has all of them. */
  errors: v.array(
    v.object({ path: v.string(), size: count, class: v.picklist(failureClasses), message: v.string() }),
  ),
});

/** The content of a shard's .fail: which objects are not proven, and why. */
export type FailState = v.InferOutput<typeof failSchema>;

/** Reads a shard's .fail; a file that is empty, torn or foreign is "unreadable", with the reason. */
export const readFail = (path: string): StateFile<FailState> => readState(path, failSchema);

/** Where a shard's .fail is set aside when the shard is tried again: `.fail.2` for one of attempt 2. */
export const pastFailPath = (fail: string, attempt: number): string => `${fail}.${attempt}`;

/** A shard that has failed, and how much of it is proven. */
interface FailedShard {
  shard: number;
  sha256: string | null;
  records: number;
  bytes: number;
  node: string;
  proven: { records: number; bytes: number; copied: number; copiedBytes: number };
}

/** Why a shard has failed. */
type Failure = Pick<FailState, "class" | "final" | "message" | "attempt" | "errors"> & {
  exitCode: number | null;
};

/** Writes a shard's .fail. Amounts that follow from others are computed here. */
export function writeFail(path: string, failed: FailedShard, why: Failure): void {
  const { shard, sha256, records, bytes, node, proven } = failed;
  writeState<FailState>(path, {
    schema: "xfer.fail.v1",
    shard,
    sha256,
    class: why.class,
    final: why.final,
    message: why.message,
    exit_code: why.exitCode,
    records,
    bytes,
    proven: proven.records,
    proven_bytes: proven.bytes,
    unchanged: proven.records - proven.copied,
    unchanged_bytes: proven.bytes - proven.copiedBytes,
    failed: records - proven.records,
    failed_bytes: bytes - proven.bytes,
    attempt: why.attempt,
    node,
    failed_at: new Date().toISOString(),
    errors: why.errors,
  });
}
