import type { Pulled } from "../../lib/cluster/pull.ts";
import type { Staged } from "../../lib/cluster/stage.ts";
import { formatBytes, formatCount } from "../../lib/system/units.ts";

/** Where a run directory went, and how much of it. */
export interface Travelled {
  cluster: string;
  runDir: string;
  farDir: string;
}

const files = (count: number) => `${formatCount(count)} ${count === 1 ? "file" : "files"}`;

/** What was staged or pulled, for people. */
export function travelledText(
  way: "staged" | "pulled",
  { cluster, runDir, farDir }: Travelled,
  what: Staged | Pulled,
): string {
  const there = `${cluster}:${farDir}`;
  const path = way === "staged" ? `${runDir} to ${there}` : `${there} to ${runDir}`;
  return `${way} ${path}: ${files(what.files)}, ${formatBytes(what.bytes)}; ${files(what.unchanged)} unchanged\n`;
}

/** The same as JSON. */
export function travelledJson(
  way: "staged" | "pulled",
  { cluster, runDir, farDir }: Travelled,
  { files: number, bytes, unchanged }: Staged | Pulled,
) {
  const what = { cluster, run_dir: runDir, far_dir: farDir, files: number, bytes, unchanged };
  return way === "staged"
    ? ({ schema: "xfer.staged.v1", ...what } as const)
    : ({ schema: "xfer.pulled.v1", ...what } as const);
}
