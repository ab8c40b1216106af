import type { Markers } from "../manifest/write-listing.ts";
import { log } from "../system/log.ts";
import { formatBytes, formatCount } from "../system/units.ts";

/** What a listing or an import left out of the manifest. */
interface LeftOut {
  /** Symbolic links and the like. */
  leftOut: number;
  firstLeftOut: string | undefined;
  markers: Markers;
}

/** Says what is not in a manifest, a line for each kind; nothing when all is in it. */
export function sayLeftOut({ leftOut, firstLeftOut, markers }: LeftOut): void {
  if (leftOut > 0) log.warn(linksText(leftOut, firstLeftOut));
  sayMarkers(markers);
}

/** Says how many directory markers are not in a manifest: a warning when content stays behind with them. */
export function sayMarkers(markers: Markers): void {
  if (markers.objects === 0) return;
  if (markers.bytes === 0) log.info(markersText(markers));
  else log.warn(markersText(markers));
}

function linksText(leftOut: number, firstLeftOut: string | undefined): string {
  return (
    `${notInManifest(leftOut, "entry", "entries")}: rclone copies no symbolic links or special files ` +
    `(-L in --extra-lsjson-flags and --rclone-flags follows links); the first: ${firstLeftOut ?? ""}`
  );
}

function markersText({ objects, bytes, first }: Markers): string {
  const content = bytes === 0 ? "" : `, ${formatBytes(bytes)} of content`;
  return (
    `${notInManifest(objects, "directory marker", "directory markers", content)}: ` +
    `rclone copies no object whose key ends in a slash; the first: ${first ?? ""}`
  );
}

function notInManifest(count: number, one: string, many: string, more = ""): string {
  return count === 1
    ? `1 ${one}${more} is not in the manifest`
    : `${formatCount(count)} ${many}${more} are not in the manifest`;
}
