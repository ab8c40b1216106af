import { isMarker, type ListingTotals } from "../listing/entry.ts";
import { keyText, lineOf, type RecordBatch } from "../manifest/batch.ts";
import { pathProblem } from "../manifest/key.ts";
import { forEachBatch } from "../manifest/read.ts";
import { type Untransferable, UntransferableList } from "../manifest/untransferable.ts";
import { joinRoot } from "../rclone/root.ts";
import { AtomicFile } from "../system/durable.ts";
import { progressIntervalMs, removeProgress, writeProgress } from "./progress-sidecar.ts";
import { type ManifestEntry, type ManifestOrigin, RecordLines } from "./record-lines.ts";

/** The directory markers without content that were left out of a manifest. */
export interface Markers {
  objects: number;
  /** The full name of one of them. */
  first: string | undefined;
}

/** Tells why a key cannot be carried from the source to the destination as it is; undefined when it can. */
export type Addressability = (key: string) => string | undefined;

/** The entries of a manifest to write, and its name. */
interface WriteOptions {
  source: (each: (entry: ManifestEntry) => void) => Promise<void>;
  manifestPath: string;
  origin: ManifestOrigin;
  addressability: Addressability;
  /** Without it the progress sidecar is written only at the end. */
  onProgress?: (totals: ListingTotals) => void;
}

/**
 * Writes the entries that `source` gives into a manifest that is still to be committed. Memory does not grow with it.
 * Directories and directory markers are left out, and markers are counted. Objects that cannot be carried go to the list
 * beside the manifest. An error that `source` throws is thrown, and leaves no manifest.
 */
export async function writeManifest(options: WriteOptions): Promise<PendingManifest> {
  const { manifestPath, onProgress } = options;
  const pending = new PendingManifest(options);
  const { totals } = pending;
  let reportedAt = Date.now();
  const report = () => {
    writeProgress(manifestPath, totals);
    onProgress?.(totals);
  };
  try {
    if (onProgress) report();
    await options.source((entry) => {
      const isRecord = pending.take(entry);
      if (!isRecord || !onProgress || totals.objects % 1000 !== 0) return;
      if (Date.now() - reportedAt < progressIntervalMs) return;
      reportedAt = Date.now();
      report();
    });
    report();
  } catch (error) {
    pending.abort();
    throw error;
  }
  return pending;
}

/** A manifest, and the list beside it, that do not have their names yet. */
export class PendingManifest {
  readonly totals: ListingTotals = { objects: 0, bytes: 0 };
  readonly markers: Markers = { objects: 0, first: undefined };
  readonly #path: string;
  readonly #sourceRoot: string;
  readonly #addressability: Addressability;
  readonly #lines: RecordLines;
  readonly #list: UntransferableList;
  #file: AtomicFile;

  constructor({ manifestPath, origin, addressability }: Omit<WriteOptions, "source">) {
    this.#path = manifestPath;
    this.#sourceRoot = origin.sourceRoot;
    this.#addressability = addressability;
    this.#lines = new RecordLines(origin);
    this.#list = new UntransferableList(manifestPath);
    this.#file = new AtomicFile(manifestPath);
  }

  /** The objects in the list beside the manifest. */
  get untransferable(): Untransferable {
    return this.#list.totals;
  }

  /** Takes an entry of a listing; false when it makes no record. */
  take(entry: ManifestEntry): boolean {
    if (entry.IsDir) return false;
    if (entry.Size === 0 && isMarker(entry)) {
      this.markers.objects++;
      this.markers.first ??= joinRoot(this.#sourceRoot, entry.Path);
      return false;
    }
    const reason = formProblem(entry) ?? this.#addressability(entry.Path);
    if (reason !== undefined) {
      const size = Number.isSafeInteger(entry.Size) && entry.Size >= 0 ? entry.Size : null;
      this.#list.add({ key: entry.Path, size, reason });
      return false;
    }
    this.#file.writeText(this.#lines.lineOf(entry));
    this.totals.objects++;
    this.totals.bytes += entry.Size;
    return true;
  }

  /** The path under which the manifest can be read before it has its name. */
  written(): string {
    return this.#file.written();
  }

  /** Adds to the list a folder, or an entry that rclone dropped, of which the manifest has no record. */
  addUntransferable(key: string, reason: string): void {
    this.#list.add({ key, size: null, reason });
  }

  /** Moves each record for whose key `reasonOf` has a reason from the manifest to the list. */
  async exclude(reasonOf: Addressability): Promise<void> {
    const kept = new AtomicFile(this.#path, undefined, ".kept");
    try {
      await forEachBatch(this.#file.written(), (batch) => this.#keepOf(batch, kept, reasonOf));
    } catch (error) {
      kept.abort();
      throw error;
    }
    this.#file.abort();
    this.#file = kept;
  }

  #keepOf(batch: RecordBatch, kept: AtomicFile, reasonOf: Addressability): void {
    for (let row = 0; row < batch.count; row++) {
      const key = keyText(batch, row);
      const reason = reasonOf(key);
      if (reason === undefined) {
        kept.write(lineOf(batch, row));
        continue;
      }
      const size = batch.size[row] as number;
      this.#list.add({ key, size, reason });
      this.totals.objects--;
      this.totals.bytes -= size;
    }
  }

  /** Gives the list its name where there is no manifest, for want of records. */
  commitList(): void {
    this.#list.commit();
  }

  /**
   * Gives list and manifest their names after `check`, which looks at the whole of them. When `check` throws there is no
   * manifest, and no list but one that `check` has committed.
   */
  async commitAfter(check: () => void | Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      this.abort();
      throw error;
    }
    this.#list.commit();
    this.#file.commit();
  }

  /** Throws manifest, list and progress sidecar away. */
  abort(): void {
    this.#file.abort();
    this.#list.abort();
    removeProgress(this.#path);
  }
}

/** Why an entry cannot be a record, whatever rclone can carry; undefined when it can. */
function formProblem({ Path, Size }: ManifestEntry): string | undefined {
  if (isMarker({ Path })) return "rclone copies no object whose key ends in a slash";
  if (!Number.isSafeInteger(Size) || Size < 0) return `its size is not known (${Size})`;
  return Path.isWellFormed() ? pathProblem(Path) : "its name is no UTF-8";
}
