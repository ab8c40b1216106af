import { tellCause } from "./telling.ts";

/** Why a step has failed, by what srun, the container and rclone have printed. */
export function problemIn(lines: readonly string[]): string {
  const text = lines.join("\n");
  const refused = /^srun: error: Unable to allocate resources: (.+)$/m.exec(text)?.[1];
  if (refused !== undefined) return `srun got no node: ${refused}`;
  const last = lines.findLast((line) => line !== "");
  return tellCause(text)?.message ?? last ?? "srun printed nothing";
}
