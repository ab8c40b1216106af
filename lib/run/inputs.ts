import { resolve } from "node:path";
import { trimRoot } from "../manifest/root.ts";
import { parseRoot, rootProblem } from "../rclone/remote.ts";
import type { RuntimeName } from "../rclone/runtime.ts";
import { invalidInput } from "../system/errors.ts";

/** A root that may be used, in its one form: remotes as given, paths absolute. Throws invalid input naming `flag`. */
export function checkRoot(flag: string, root: string): string {
  const problem = rootProblem(root);
  if (problem) throw invalidInput(`${flag}: ${problem}`);
  return parseRoot(root).form === "posix" ? resolve(root) : trimRoot(root);
}

/** Throws invalid input when a runtime that runs rclone in a container is given no image. */
export function checkImage(runtime: RuntimeName, image: string | undefined): void {
  if (runtime !== "host" && !image) {
    throw invalidInput(`--rclone-image is needed with --runtime ${runtime} (or use --runtime host)`);
  }
}
