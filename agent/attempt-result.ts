import type { FailureClass } from "../lib/rclone/failure-class.ts";
import type { UnprovenRecord } from "./decide/unproven.ts";

/** How an attempt ended. */
export type AttemptResult =
  | { kind: "done" }
  | { kind: "stopped" }
  | {
      kind: "failed";
      class: FailureClass;
      /** Whether only the user can cure it. */
      final: boolean;
      /** The exit code of the last rclone; null when there was none. */
      exitCode: number | null;
      unproven: UnprovenRecord[];
      /** --transfers for the next attempt, when throttling has lowered it. */
      transfers: number | null;
      /** Whether rclone never ran, since its container did not start. */
      neverStarted: boolean;
    };
