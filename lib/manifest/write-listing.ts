import { AtomicFile, removeIfAny, replaceFile } from "../system/durable.ts";
import { isMarker, type ManifestEntry, type ManifestOrigin, RecordLines } from "./listing.ts";
import { joinRoot } from "./root.ts";

/** How often the progress sidecar is rewritten, at most. */
export const progressIntervalMs = 1_000;

/** What has been listed so far. */
export interface ListingTotals {
  objects: number;
  bytes: number;
}

/** Directory markers that were left out of a manifest. */
export interface Markers extends ListingTotals {
  /** The full name of one of them. */
  first: string | undefined;
}

/** A manifest that is complete but does not have its name yet. */
export interface PendingManifest {
  totals: ListingTotals;
  markers: Markers;
  /** Where the manifest is until then, for who reads it before. */
  written(): string;
  /** Gives the manifest its name; call it only when the lister has ended well. */
  commit(): void;
  abort(): void;
}

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
  removeIfAny(progressPath(manifestPath));
}

/**
 * Writes what `source` gives, entry by entry, into a manifest that is yet to be committed; memory does not grow with it.
 * Directories and directory markers are left out, and markers counted.
 * Throws what `source` throws, leaving no manifest.
 */
export async function writeManifest(options: {
  source: (each: (entry: ManifestEntry) => void) => Promise<void>;
  manifestPath: string;
  origin: ManifestOrigin;
  /** Without it the progress sidecar is written only at the end. */
  onProgress?: (totals: ListingTotals) => void;
}): Promise<PendingManifest> {
  const { manifestPath, origin, onProgress } = options;
  const file = new AtomicFile(manifestPath);
  const totals: ListingTotals = { objects: 0, bytes: 0 };
  const lines = new RecordLines(origin);
  const markers: Markers = { objects: 0, bytes: 0, first: undefined };
  let reportedAt = Date.now();
  const report = () => {
    writeProgress(manifestPath, totals);
    onProgress?.(totals);
  };
  try {
    if (onProgress) report();
    await options.source((entry) => {
      if (entry.IsDir) return;
      if (isMarker(entry)) {
        markers.objects++;
        markers.bytes += Math.max(0, entry.Size);
        markers.first ??= joinRoot(origin.sourceRoot, entry.Path);
        return;
      }
      file.writeText(lines.lineOf(entry));
      totals.objects++;
      totals.bytes += entry.Size;
      if (onProgress && totals.objects % 1000 === 0 && Date.now() - reportedAt >= progressIntervalMs) {
        reportedAt = Date.now();
        report();
      }
    });
    report();
  } catch (error) {
    file.abort();
    removeProgress(manifestPath);
    throw error;
  }
  return {
    totals,
    markers,
    written: () => file.written(),
    commit: () => file.commit(),
    abort: () => {
      file.abort();
      removeProgress(manifestPath);
    },
  };
}
