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

/** The name of a manifest to write, and the common part of its records. */
interface PendingOptions {
  manifestPath: string;
  origin: ManifestOrigin;
  addressability: Addressability;
  /** Without it the progress sidecar is written only at the end. */
  onProgress?: (totals: ListingTotals) => void;
}

/**
 * A manifest, and the list beside it, that are being written and do not have their names yet. Memory does not grow with them.
 * Give it the entries by `take`, await the work that does so by `filledBy`, check the whole by `orAbort`, and then `commit`.
 */
export class PendingManifest {
  readonly totals: ListingTotals = { objects: 0, bytes: 0 };
  readonly markers: Markers = { objects: 0, first: undefined };
  readonly #options: PendingOptions;
  readonly #lines: RecordLines;
  readonly #list: UntransferableList;
  #file: AtomicFile;
  #reportedAt = Date.now();

  private constructor(options: PendingOptions) {
    this.#options = options;
    this.#lines = new RecordLines(options.origin);
    this.#list = new UntransferableList(options.manifestPath);
    this.#file = new AtomicFile(options.manifestPath);
  }

  static begin(options: PendingOptions): PendingManifest {
    const pending = new PendingManifest(options);
    try {
      if (options.onProgress) pending.#report();
    } catch (error) {
      pending.abort();
      throw error;
    }
    return pending;
  }

  /** The objects in the list beside the manifest. */
  get untransferable(): Untransferable {
    return this.#list.totals;
  }

  /**
   * Takes an entry of a listing. Directories and directory markers are left out, and markers are counted. An object that cannot
   * be carried goes to the list beside the manifest.
   */
  readonly take = (entry: ManifestEntry): void => {
    if (entry.IsDir) return;
    const { origin, addressability, onProgress } = this.#options;
    if (entry.Size === 0 && isMarker(entry)) {
      this.markers.objects++;
      this.markers.first ??= joinRoot(origin.sourceRoot, entry.Path);
      return;
    }
    const reason = formProblem(entry) ?? addressability(entry.Path);
    if (reason !== undefined) {
      const size = Number.isSafeInteger(entry.Size) && entry.Size >= 0 ? entry.Size : null;
      this.#list.add({ key: entry.Path, size, reason });
      return;
    }
    this.#file.writeText(this.#lines.lineOf(entry));
    this.totals.objects++;
    this.totals.bytes += entry.Size;
    if (!onProgress || this.totals.objects % 1000 !== 0) return;
    if (Date.now() - this.#reportedAt >= progressIntervalMs) this.#report();
  };

  #report(): void {
    this.#reportedAt = Date.now();
    writeProgress(this.#options.manifestPath, this.totals);
    this.#options.onProgress?.(this.totals);
  }

  /** Awaits `work`, which gives all entries, and reports the totals. Throws as `orAbort` does. */
  filledBy<T>(work: Promise<T>): Promise<T> {
    return this.orAbort(
      work.then((made) => {
        this.#report();
        return made;
      }),
    );
  }

  /** Awaits `work`. When it fails, the error is thrown, and manifest and list are thrown away. */
  async orAbort<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.abort();
      throw error;
    }
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
    const kept = new AtomicFile(this.#options.manifestPath, undefined, ".kept");
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

  /** Gives the list its name, and then the manifest. */
  commit(): void {
    this.#list.commit();
    this.#file.commit();
  }

  /** Throws manifest, list and progress sidecar away. */
  abort(): void {
    this.#file.abort();
    this.#list.abort();
    removeProgress(this.#options.manifestPath);
  }
}

/** Why an entry cannot be a record, whatever rclone can carry; undefined when it can. */
function formProblem({ Path, Size }: ManifestEntry): string | undefined {
  if (isMarker({ Path })) return "rclone copies no object whose key ends in a slash";
  if (!Number.isSafeInteger(Size) || Size < 0) return `its size is not known (${Size})`;
  return Path.isWellFormed() ? pathProblem(Path) : "its name is no UTF-8";
}
