import { invalidInput } from "../system/errors.ts";
import type { RuntimeName } from "./runtime.ts";

/** How rclone is reached: its runtime, and the rclone.conf that it reads. */
export interface RcloneReach {
  runtime: RuntimeName;
  image: string | undefined;
  /** The path of rclone.conf on the host that starts rclone; undefined for rclone's own default. */
  configPath: string | undefined;
  /** Where rclone.conf is mounted in a container. */
  confInContainer: string;
  /** More words for srun, under pyxis. */
  pyxisExtra: readonly string[];
}

/**
 * Throws invalid input when a runtime that runs rclone in a container is given no image; `otherwise` is the flag that does
 * without one.
 */
export function checkImage(
  runtime: RuntimeName,
  image: string | undefined,
  otherwise = "--runtime host, for the rclone on PATH",
): void {
  if (runtime !== "host" && !image) {
    throw invalidInput(`--rclone-image is needed with --runtime ${runtime} (or use ${otherwise})`);
  }
}
