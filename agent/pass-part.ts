import type { XferError } from "../lib/system/errors.ts";
import type { RcloneResult } from "./rclone-run.ts";

/** Records of a pass that were handed to rclone together, and how that ended. */
export interface PassPart {
  /** Whether a record, by its index, was among them. */
  includes: (index: number) => boolean;
  /** How many records there were. */
  records: number;
  /** Whether a pass that aborted was cut into this part, so that one record or some of it may be to blame. */
  isPiece: boolean;
  /** Whether rclone proved any record of this part. */
  proved: boolean;
  /** How the last rclone over this part ended, or why there was none. */
  result: RcloneResult | XferError;
}

/** Whether rclone was lost: its step or container is gone, and Slurm may still count the step as running. */
export function lostStep({ result }: Pick<PassPart, "result">): boolean {
  return "hang" in result && result.hang === "silent";
}
