import type { ListingTotals } from "../listing/entry.ts";
import { findParts, forEachPartEntry, type Part } from "../listing/parts.ts";
import { findFirstDuplicate } from "../manifest/distinct-keys.ts";
import type { Untransferable } from "../manifest/untransferable.ts";
import { invalidInput } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import type { ManifestOrigin } from "./record-lines.ts";
import { type Addressability, type Markers, type PendingManifest, writeManifest } from "./write.ts";

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
 * sidecar; when there is no object in any; or when an object is in two of them.
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
  await refuseDuplicates(parts, pending, options.stop);
  pending.commit();
  const { totals, markers, untransferable } = pending;
  return { ...totals, markers, untransferable };
}

/** Throws invalid input for a manifest in which a key is twice, naming the parts that have it, and leaves none. */
async function refuseDuplicates(
  parts: readonly Part[],
  pending: PendingManifest,
  stop: AbortSignal,
): Promise<void> {
  try {
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
  } catch (error) {
    pending.abort();
    throw error;
  }
}
