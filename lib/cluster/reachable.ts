import { inquiryFlags } from "../rclone/inquiry.ts";
import { problemIn } from "../rclone/step-problem.ts";
import { confVariable } from "./far-conf.ts";
import type { FarEnd } from "./far-end.ts";
import { rcloneOnNode } from "./on-node.ts";
import type { Profile } from "./profile.ts";

/** Whether a remote answered a compute node, or why it did not. */
export interface Reached {
  root: string;
  problem: string | undefined;
}

/**
 * A script that lists the top of each root on a compute node, in the profile's image. Of what is listed nothing is printed.
 */
export function reachScript(profile: Profile, roots: readonly string[]): string {
  const steps = roots.map((root, i) => {
    const argv = [...(root.endsWith(":") ? ["lsd"] : ["lsf", "--max-depth", "1"]), ...inquiryFlags, root];
    const step = rcloneOnNode(profile, argv, '"$f"');
    return `echo '== r${i}'; if { ${step} 2>&1 >/dev/null < /dev/null; }; then echo '== ok${i}'; fi`;
  });
  return [confVariable(profile), ...steps].join("\n");
}

/** Asks each root from a compute node, one after the other. */
export async function reachRoots(
  end: FarEnd,
  profile: Profile,
  roots: readonly string[],
  stop: AbortSignal,
): Promise<Reached[]> {
  const { stdout } = await end.run(reachScript(profile, roots), { stop });
  return parseReached(stdout, roots);
}

/** Reads what the script prints: what rclone and srun said of each root, and whether it was listed. */
export function parseReached(text: string, roots: readonly string[]): Reached[] {
  const lines = text.split("\n");
  return roots.map((root, i) => {
    if (lines.includes(`== ok${i}`)) return { root, problem: undefined };
    const from = lines.indexOf(`== r${i}`);
    const end = lines.findIndex((line, at) => at > from && /^== (?:r|ok)\d+$/.test(line));
    return { root, problem: problemIn(lines.slice(from + 1, end < 0 ? undefined : end)) };
  });
}
