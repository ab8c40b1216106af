import { problemIn } from "../rclone/step-problem.ts";
import { sectionsOf } from "../system/sections.ts";
import { onNode, rcloneOnNode } from "./on-node.ts";
import { farWord } from "./probe.ts";
import type { Profile } from "./profile.ts";

/** What steps on a compute node have told: a value, or why there is none. */
export interface NodeFacts {
  /** Whether a program in the run root runs there. */
  runRoot: "runs" | { problem: string };
  /** The rclone that the agents would have. */
  rclone: { version: string } | { problem: string };
}

/**
 * A script that runs two short steps through srun: a program that it puts into the run root, and rclone in the profile's
 * image. Each takes an allocation of one task.
 */
export function nodeProbeScript(profile: Profile): string {
  return [
    `d=${farWord(profile.run_root)}; while [ ! -d "$d" ]; do d=$(dirname "$d"); done; t="$d/.xfer-probe.$$"`,
    `trap 'rm -f "$t"' EXIT`,
    `printf '#!/bin/sh\\necho runs\\n' > "$t" && chmod 700 "$t"`,
    "echo '== node'",
    `${onNode(profile)} "$t" 2>&1 < /dev/null`,
    "echo '== image'",
    `${rcloneOnNode(profile, ["version"])} 2>&1 < /dev/null`,
  ].join("\n");
}

/** Reads what the script prints. */
export function parseNodeProbe(text: string): NodeFacts {
  const sections = sectionsOf(text);
  const [node, image] = [sections.get("node") ?? [], sections.get("image") ?? []];
  const version = image.map((line) => /^rclone (v\S+)/.exec(line)?.[1]).find((found) => found !== undefined);
  return {
    runRoot: node.includes("runs") ? "runs" : { problem: problemIn(node) },
    rclone: version === undefined ? { problem: problemIn(image) } : { version },
  };
}
