import { type Untransferable, untransferablePath } from "../manifest/untransferable.ts";
import { joinRoot } from "../rclone/root.ts";
import { log } from "../system/log.ts";
import { formatBytes, formatCount } from "../system/units.ts";
import type { Markers } from "./write.ts";

/** The objects that a listing or an import left out of the manifest. */
interface LeftOut {
  /** How many symbolic links and the like. */
  leftOut: number;
  firstLeftOut: string | undefined;
  markers: Markers;
  untransferable: Untransferable;
}

/** The path of the manifest, and the root that was listed. */
interface Listed {
  out: string;
  sourceRoot: string;
}

/** Tells which objects are not in a manifest, one line for each kind. */
export function sayLeftOut(
  { leftOut, firstLeftOut, markers, untransferable }: LeftOut,
  listed: Listed,
): void {
  if (leftOut > 0) log.warn(linksText(leftOut, firstLeftOut));
  sayMarkers(markers);
  sayUntransferable(untransferable, listed);
}

/** Tells how many directory markers, which have no content, are not in a manifest. */
export function sayMarkers({ objects, first }: Markers): void {
  if (objects === 0) return;
  log.info(
    `${notInManifest(objects, "directory marker", "directory markers")}: ` +
      `rclone copies no object whose key ends in a slash; the first: ${first ?? ""}`,
  );
}

/** Warns, with examples, of what cannot be carried to the destination as it is; a reason that several share is said once. */
export function sayUntransferable(
  { objects, bytes, examples }: Untransferable,
  { out, sourceRoot }: Listed,
): void {
  if (objects === 0) return;
  const [what, are] = objects === 1 ? ["1 object", "is"] : [`${formatCount(objects)} objects`, "are"];
  log.warn(
    `${what} (${formatBytes(bytes)}) cannot be transferred and ${are} not in the manifest: see ${untransferablePath(out)}`,
  );
  const said = new Set<string>();
  for (const { key, reason } of examples) {
    log.warn(`  ${joinRoot(sourceRoot, key)}${said.has(reason) ? "" : `: ${reason}`}`);
    said.add(reason);
  }
}

function linksText(leftOut: number, firstLeftOut: string | undefined): string {
  return (
    `${notInManifest(leftOut, "entry", "entries")}: rclone copies no symbolic links or special files ` +
    `(-L in --extra-lsjson-flags and --rclone-flags follows links); the first: ${firstLeftOut ?? ""}`
  );
}

function notInManifest(count: number, one: string, many: string): string {
  return count === 1
    ? `1 ${one} is not in the manifest`
    : `${formatCount(count)} ${many} are not in the manifest`;
}
