import type { ReadProgress } from "../../lib/system/line-blocks.ts";
import { formatBytes, formatObjects, formatPercent } from "../../lib/system/units.ts";

/** What is being done, and to how many objects so far. */
export function doingText(doing: string, objects: number): string {
  return `${doing}: ${formatObjects(objects)}`;
}

/** What is being done with an input, and how much of it is read; of a pipe nobody knows the whole. */
export function readingText(doing: string, { bytes, bytesTotal }: ReadProgress): string {
  const of = bytesTotal > 0 ? ` of ${formatBytes(bytesTotal)} (${formatPercent(bytes, bytesTotal)})` : "";
  return `${doing}: ${formatBytes(bytes)}${of}`;
}
