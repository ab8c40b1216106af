import { existsSync } from "node:fs";
import { invalidInput } from "../system/errors.ts";
import { localEnds } from "./local-ends.ts";
import { parseRoot, type RemoteContext } from "./remote-options.ts";
import { type Mount, mountProblem, type RuntimeName } from "./runtime.ts";

/** What a container has to see of the host. */
export interface MountNeeds {
  runtime: RuntimeName;
  configPath: string | undefined;
  confInContainer: string;
  /** Roots and files that are read; object stores among them need no mount. */
  readOnly: readonly string[];
  writable: readonly string[];
  /** What tells where remotes end. */
  context: RemoteContext;
  /** The list of keys, where there is one. */
  keys?: { source: string; target: string } | undefined;
}

/**
 * The mounts of an rclone step: rclone.conf, and every path that the roots end at, through remotes that wrap others, at its
 * own place: what a container has no mount for it writes into its own memory. Empty under the host runtime.
 * Throws invalid input for a path that the runtime cannot mount.
 */
export function mountsFor(needs: MountNeeds): Mount[] {
  const { runtime, configPath, confInContainer, context } = needs;
  if (runtime === "host") return [];
  const mounts: Mount[] = [];
  if (configPath !== undefined) {
    mounts.push({ source: configPath, target: confInContainer, writable: false });
  }
  const add = (roots: readonly string[], writable: boolean) => {
    for (const root of roots) {
      const isPath = parseRoot(root).form === "posix";
      for (const path of localEnds(root, context).paths) {
        // Behind a remote there may be nothing yet, and no container starts with a mount of nothing.
        if (isPath || existsSync(path)) mounts.push({ source: path, target: path, writable });
      }
    }
  };
  if (needs.keys) mounts.push({ ...needs.keys, writable: false });
  add(needs.readOnly, false);
  add(needs.writable, true);
  for (const { source, target } of mounts) {
    const problem = mountProblem(source, runtime) ?? mountProblem(target, runtime);
    if (problem) throw invalidInput(problem);
  }
  return mounts;
}
