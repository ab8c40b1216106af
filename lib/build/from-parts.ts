import type { ListingTotals } from "../listing/entry.ts";
import { findParts, forEachPartEntry, type Part } from "../listing/parts.ts";
import { findFirstDuplicate } from "../manifest/distinct-keys.ts";
import type { Untransferable } from "../manifest/untransferable.ts";
import { invalidInput } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import type { ManifestOrigin } from "./record-lines.ts";
import { type Addressability, type Markers, PendingManifest } from "./write.ts";

/** Parts of a listing to combine. */
export interface CombineOptions extends ManifestOrigin {
  /** A folder with lsjson-*.json files and a .prefix file beside each. */
  partsDir: string;
  out: string;
  addressability: Addressability;
  stop: AbortSignal;
  onProgress: (totals: ListingTotals) => void;
}

/**
 * Makes one manifest of the parts of a listing, in the order of their names, in memory that does not grow with them. Throws
 * invalid input, and leaves no manifest, when a part is truncated, is no JSON array, or has no sidecar, when no part has an
 * object, or when an object is in two parts. The error names the part.
 */
export async function combineParts(
  options: CombineOptions,
): Promise<ListingTotals & { markers: Markers; untransferable: Untransferable }> {
  const parts = findParts(options.partsDir);
  const pending = PendingManifest.begin({
    manifestPath: options.out,
    origin: options,
    addressability: options.addressability,
    onProgress: options.onProgress,
  });
  await pending.filledBy(
    forEachPartEntry(parts, (entry) => {
      throwIfStopped(options.stop, "no manifest was written");
      pending.take(entry);
    }),
  );
  await pending.orAbort(checkParts(options, parts, pending));
  pending.commit();
  const { totals, markers, untransferable } = pending;
  return { ...totals, markers, untransferable };
}

/** Throws invalid input when no part has an object, or when two objects have one key, naming their parts. */
async function checkParts(
  { partsDir, stop }: CombineOptions,
  parts: readonly Part[],
  pending: PendingManifest,
): Promise<void> {
  if (pending.totals.objects === 0) {
    const [first] = pending.untransferable.examples;
    throw invalidInput(
      first
        ? `${partsDir}: no object in the parts can be transferred: ${first.key}: ${first.reason}`
        : `${partsDir}: no object is in any of the ${parts.length} parts`,
    );
  }
  const twice = await findFirstDuplicate(pending.written(), { stop });
  if (!twice) return;
  const holders: string[] = [];
  await forEachPartEntry(parts, (entry, part) => {
    if (holders.length < 2 && entry.Path.toWellFormed() === twice.key) holders.push(part.path);
  });
  const [first = "", again = ""] = holders;
  throw invalidInput(
    first === again
      ? `${again}: the key is there twice: ${twice.key}: list the prefix of this part again`
      : `${again}: the key is in ${first} already: ${twice.key}: keep one of the two parts, or list prefixes that do not overlap`,
  );
}
