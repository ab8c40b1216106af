import { invalidInput } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import type { ManifestOrigin } from "./listing.ts";
import { findParts, forEachPartEntry } from "./parts.ts";
import type { Untransferable } from "./untransferable.ts";
import { type Addressability, type ListingTotals, type Markers, writeManifest } from "./write-listing.ts";

/** What `combine` is asked to do. */
export interface CombineOptions extends ManifestOrigin {
  /** Holds lsjson-*.json files and a .prefix file beside each. */
  partsDir: string;
  out: string;
  addressability: Addressability;
  stop: AbortSignal;
  onProgress: (totals: ListingTotals) => void;
}

/**
 * Makes one manifest of the parts of a listing, in the order of their names, streaming.
 * Throws invalid input that names the part, leaving no manifest, when one is truncated, is no JSON array, or has no
 * sidecar; or when there is no object in any.
 */
export async function combineParts(
  options: CombineOptions,
): Promise<ListingTotals & { markers: Markers; untransferable: Untransferable }> {
  const parts = findParts(options.partsDir);
  const pending = await writeManifest({
    source: (each) =>
      forEachPartEntry(parts, (entry) => {
        throwIfStopped(options.stop, "no manifest was written");
        each(entry);
      }),
    manifestPath: options.out,
    origin: options,
    addressability: options.addressability,
    onProgress: options.onProgress,
  });
  if (pending.totals.objects === 0) {
    const [first] = pending.untransferable.examples;
    pending.abort();
    throw invalidInput(
      first
        ? `${options.partsDir}: no object in the parts can be transferred: ${first.key}: ${first.reason}`
        : `${options.partsDir}: no object is in any of the ${parts.length} parts`,
    );
  }
  pending.commit();
  const { totals, markers, untransferable } = pending;
  return { ...totals, markers, untransferable };
}
