import { parseRoot } from "../rclone/remote.ts";
import { type Mount, mountProblem, type RuntimeName } from "../rclone/runtime.ts";
import { invalidInput } from "../system/errors.ts";

/** What a container has to see of the host. */
export interface MountNeeds {
  runtime: RuntimeName;
  configPath: string | undefined;
  confInContainer: string;
  /** Roots and files that are read; remotes among them need no mount. */
  readOnly: readonly string[];
  writable: readonly string[];
  /** The list of keys, where there is one. */
  keys?: { source: string; target: string } | undefined;
}

/**
 * The mounts of an rclone step: rclone.conf, and every POSIX path at its own place. Empty under the host runtime.
 * Throws invalid input for a path that the runtime cannot mount.
 */
export function mountsFor(needs: MountNeeds): Mount[] {
  const { runtime, configPath, confInContainer } = needs;
  if (runtime === "host") return [];
  const mounts: Mount[] = [];
  if (configPath !== undefined) {
    mounts.push({ source: configPath, target: confInContainer, writable: false });
  }
  const add = (roots: readonly string[], writable: boolean) => {
    for (const root of roots) {
      if (parseRoot(root).form === "posix") mounts.push({ source: root, target: root, writable });
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
