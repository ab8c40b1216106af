import { isMarker, type ListingTotals } from "../listing/entry.ts";
import { keyText, lineOf } from "../manifest/batch.ts";
import { pathProblem } from "../manifest/key.ts";
import { forEachBatch } from "../manifest/read.ts";
import { type Untransferable, UntransferableList } from "../manifest/untransferable.ts";
import { joinRoot } from "../rclone/root.ts";
import { AtomicFile, removeIfExists, replaceFile } from "../system/durable.ts";
import { type ManifestEntry, type ManifestOrigin, RecordLines } from "./record-lines.ts";

/** How often the progress sidecar is rewritten, at most. */
export const progressIntervalMs = 1_000;

/** Directory markers without content that were left out of a manifest. */
export interface Markers {
  objects: number;
  /** The full name of one of them. */
  first: string | undefined;
}

/** Why a key cannot be carried from the source to the destination as it is, or undefined when it can. */
export type Addressability = (key: string) => string | undefined;

/** A manifest that is complete but does not have its name yet. */
export interface PendingManifest {
  totals: ListingTotals;
  markers: Markers;
  /** What is in the list beside the manifest. */
  untransferable: Untransferable;
  /** Where the manifest can be read before it has its name. */
  written(): string;
  /** Adds something that cannot be carried and is not in the manifest: a folder, or an entry that rclone dropped. */
  addUntransferable(key: string, reason: string): void;
  /** Moves the records of which `reasonOf` gives a reason from the manifest to the list. */
  exclude(reasonOf: Addressability): Promise<void>;
  /** Gives the list its name, where the manifest does not come about for want of records. */
  commitList(): void;
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
  removeIfExists(progressPath(manifestPath));
}

/** Why an entry cannot be a record, whatever rclone can carry; undefined when it can. */
function formProblem({ Path, Size }: ManifestEntry): string | undefined {
  if (isMarker({ Path })) return "rclone copies no object whose key ends in a slash";
  if (!Number.isSafeInteger(Size) || Size < 0) return `its size is not known (${Size})`;
  return Path.isWellFormed() ? pathProblem(Path) : "its name is no UTF-8";
}

/**
 * Writes what `source` gives, entry by entry, into a manifest that is yet to be committed; memory does not grow with it.
 * Directories and directory markers are left out, and markers counted; what cannot be carried goes to the list beside
 * the manifest.
 * Throws what `source` throws, leaving no manifest.
 */
export async function writeManifest(options: {
  source: (each: (entry: ManifestEntry) => void) => Promise<void>;
  manifestPath: string;
  origin: ManifestOrigin;
  addressability: Addressability;
  /** Without it the progress sidecar is written only at the end. */
  onProgress?: (totals: ListingTotals) => void;
}): Promise<PendingManifest> {
  const { manifestPath, origin, onProgress, addressability } = options;
  let file = new AtomicFile(manifestPath);
  const totals: ListingTotals = { objects: 0, bytes: 0 };
  const lines = new RecordLines(origin);
  const markers: Markers = { objects: 0, first: undefined };
  const list = new UntransferableList(manifestPath);
  let reportedAt = Date.now();
  const report = () => {
    writeProgress(manifestPath, totals);
    onProgress?.(totals);
  };
  const abort = () => {
    file.abort();
    list.abort();
    removeProgress(manifestPath);
  };
  const take = (entry: ManifestEntry) => {
    if (entry.IsDir) return;
    if (entry.Size === 0 && isMarker(entry)) {
      markers.objects++;
      markers.first ??= joinRoot(origin.sourceRoot, entry.Path);
      return;
    }
    const reason = formProblem(entry) ?? addressability(entry.Path);
    if (reason !== undefined) {
      const size = Number.isSafeInteger(entry.Size) && entry.Size >= 0 ? entry.Size : null;
      list.add({ key: entry.Path, size, reason });
      return;
    }
    file.writeText(lines.lineOf(entry));
    totals.objects++;
    totals.bytes += entry.Size;
    if (onProgress && totals.objects % 1000 === 0 && Date.now() - reportedAt >= progressIntervalMs) {
      reportedAt = Date.now();
      report();
    }
  };
  try {
    if (onProgress) report();
    await options.source(take);
    report();
  } catch (error) {
    abort();
    throw error;
  }
  return {
    totals,
    markers,
    untransferable: list.totals,
    written: () => file.written(),
    addUntransferable: (key, reason) => list.add({ key, size: null, reason }),
    exclude: async (reasonOf) => {
      const kept = new AtomicFile(manifestPath, undefined, ".kept");
      try {
        await forEachBatch(file.written(), (batch) => {
          for (let row = 0; row < batch.count; row++) {
            const key = keyText(batch, row);
            const reason = reasonOf(key);
            if (reason === undefined) {
              kept.write(lineOf(batch, row));
              continue;
            }
            const size = batch.size[row] as number;
            list.add({ key, size, reason });
            totals.objects--;
            totals.bytes -= size;
          }
        });
      } catch (error) {
        kept.abort();
        throw error;
      }
      file.abort();
      file = kept;
    },
    commitList: () => list.commit(),
    commit: () => {
      list.commit();
      file.commit();
    },
    abort,
  };
}
