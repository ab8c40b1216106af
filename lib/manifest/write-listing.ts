import { AtomicFile, removeIfAny, replaceFile } from "../system/durable.ts";
import { type ManifestOrigin, recordOfEntry } from "./listing.ts";
import { forEachEntry } from "./read-listing.ts";
import { formatRecord } from "./record.ts";

/** How often the progress sidecar is rewritten, at most. */
const progressIntervalMs = 1_000;

/** What has been listed so far. */
export interface ListingTotals {
  objects: number;
  bytes: number;
}

/** A manifest that is complete but does not have its name yet. */
export interface PendingManifest {
  totals: ListingTotals;
  /** Gives the manifest its name; call it only when the lister has ended well. */
  commit(): void;
  abort(): void;
}

/** The path of the progress sidecar of a manifest. */
function progressPath(manifestPath: string): string {
  return `${manifestPath}.progress`;
}

/**
 * Streams the output of `rclone lsjson` into a manifest that is yet to be committed; memory does not grow with it.
 * Throws, leaving no manifest, when the stream ends before its closing bracket or holds anything unexpected.
 */
export async function writeListing(options: {
  stream: AsyncIterable<Uint8Array>;
  manifestPath: string;
  origin: ManifestOrigin;
  onProgress: (totals: ListingTotals) => void;
}): Promise<PendingManifest> {
  const { manifestPath, origin, onProgress } = options;
  const file = new AtomicFile(manifestPath);
  const totals: ListingTotals = { objects: 0, bytes: 0 };
  const encoder = new TextEncoder();
  let reportedAt = Date.now();
  const report = () => {
    const sidecar = { files_listed: totals.objects, bytes_listed: totals.bytes };
    replaceFile(progressPath(manifestPath), `${JSON.stringify(sidecar)}\n`);
    onProgress(totals);
  };
  try {
    report();
    await forEachEntry(options.stream, (entry) => {
      if (entry.IsDir) return;
      file.write(encoder.encode(`${formatRecord(recordOfEntry(entry, origin))}\n`));
      totals.objects++;
      totals.bytes += entry.Size;
      if (totals.objects % 1000 === 0 && Date.now() - reportedAt >= progressIntervalMs) {
        reportedAt = Date.now();
        report();
      }
    });
    report();
  } catch (error) {
    file.abort();
    removeIfAny(progressPath(manifestPath));
    throw error;
  }
  return {
    totals,
    commit: () => file.commit(),
    abort: () => {
      file.abort();
      removeIfAny(progressPath(manifestPath));
    },
  };
}
