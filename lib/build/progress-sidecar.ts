import type { ListingTotals } from "../listing/entry.ts";
import { removeIfExists, replaceFile } from "../system/durable.ts";

/** The progress sidecar is rewritten at most this often. */
export const progressIntervalMs = 1_000;

/** The path of the progress sidecar of a manifest. */
function progressPath(manifestPath: string): string {
  return `${manifestPath}.progress`;
}

/** Rewrites the progress sidecar of a manifest that is being listed. */
export function writeProgress(manifestPath: string, totals: ListingTotals): void {
  const sidecar = { files_listed: totals.objects, bytes_listed: totals.bytes };
  replaceFile(progressPath(manifestPath), `${JSON.stringify(sidecar)}\n`);
}

/** Removes the progress sidecar of a manifest that did not come about. */
export function removeProgress(manifestPath: string): void {
  removeIfExists(progressPath(manifestPath));
}
