import type { RcloneResult } from "../../agent/rclone-run.ts";

/** The result of an rclone that ended with this exit code, having spoken of no object unless `more` says so. */
export function ended(code: number, more: Partial<RcloneResult> = {}): RcloneResult {
  return {
    exit: { code, signal: null },
    objectErrors: new Map(),
    spoke: true,
    hang: undefined,
    error: undefined,
    ...more,
  };
}
