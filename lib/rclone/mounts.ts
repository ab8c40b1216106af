import { existsSync } from "node:fs";
import { invalidInput } from "../system/errors.ts";
import { localEnds } from "./local-ends.ts";
import { parseRoot, type RemoteContext } from "./remote-options.ts";
import { type Mount, mountProblem, type RuntimeName } from "./runtime.ts";

/** The files and paths of the host that a container has to see. */
export interface MountNeeds {
  runtime: RuntimeName;
  configPath: string | undefined;
  confInContainer: string;
  /** Roots and files that rclone reads. Object stores among them need no mount. */
  readOnly: readonly string[];
  writable: readonly string[];
  /** The facts that decide at which paths remotes end. */
  context: RemoteContext;
  /** The list of keys, where there is one. */
  keys?: { source: string; target: string } | undefined;
}

/**
 * The mounts of an rclone step: rclone.conf, the list of keys, and every path at which the roots end, also through remotes
 * that wrap others. A path is mounted under its own name. Without its mount, a container would write into its own memory.
 * Empty under the host runtime. Throws invalid input for a path that the runtime cannot mount.
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
        // A path behind a remote may not be there yet, and no container starts with a mount of a missing path.
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
