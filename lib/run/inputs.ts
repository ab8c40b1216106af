import { isAbsolute, resolve } from "node:path";
import { trimRoot } from "../manifest/root.ts";
import { Remotes } from "../rclone/rclone-conf.ts";
import { remoteProblem, rootProblem } from "../rclone/remote.ts";
import { parseRoot, type RemoteContext } from "../rclone/remote-options.ts";
import type { RuntimeName } from "../rclone/runtime.ts";
import { invalidInput } from "../system/errors.ts";

/** Of a place whose rclone.conf is not known. */
const elsewhere: RemoteContext = { remotes: new Remotes(false), env: {}, flags: new Map() };

/**
 * A root that may be used, in its one form: remotes as given, paths absolute. With the `context` of where rclone runs, its
 * remote must be one that rclone has there. Throws invalid input naming `flag`.
 */
export function checkRoot(flag: string, root: string, context = elsewhere): string {
  const problem = rootProblem(root) ?? remoteProblem(root, context);
  if (problem) throw invalidInput(`${flag}: ${problem}`);
  return parseRoot(root).form === "posix" ? resolve(root) : trimRoot(root);
}

/**
 * A root that a manifest names, checked as those of flags are. Its reader may be in another directory than its writer was:
 * a relative path would be another place.
 */
export function checkListedRoot(name: string, root: string, context = elsewhere): string {
  const checked = checkRoot(name, root, context);
  if (parseRoot(root).form === "posix" && !isAbsolute(root)) {
    throw invalidInput(
      `${name}: ${root} is a relative path, which means another place in every directory: xfer manifest rebase makes it absolute`,
    );
  }
  return checked;
}

/** Throws invalid input when a runtime that runs rclone in a container is given no image. */
export function checkImage(runtime: RuntimeName, image: string | undefined): void {
  if (runtime !== "host" && !image) {
    throw invalidInput(`--rclone-image is needed with --runtime ${runtime} (or use --runtime host)`);
  }
}
