import { isMarker, type ListingEntry } from "../manifest/listing.ts";
import { forEachPartEntry } from "../manifest/parts.ts";
import { forEachEntry } from "../manifest/read-listing.ts";
import { listParts } from "./list-parallel.ts";
import { type Lister, type ListingRequest, runListing } from "./lister.ts";

/** A listing whose objects are looked at one by one. */
export interface EntriesOptions {
  request: ListingRequest;
  /** Listings that run side by side. */
  listers: number;
  /** Where finished parts are kept while several run. */
  partsDir: string;
  onProgress: (objects: number) => void;
  each: (entry: ListingEntry) => void;
}

/**
 * Lists a root that may be empty or absent and calls `each` for every object but directory markers, in no order that means
 * anything.
 */
export async function listEntries(lister: Lister, options: EntriesOptions): Promise<void> {
  const { request, onProgress } = options;
  const each = (entry: ListingEntry) => {
    if (!isMarker(entry)) options.each(entry);
  };
  if (options.listers > 1) {
    const listed = await listParts(lister, {
      request,
      listers: options.listers,
      partsDir: options.partsDir,
      absentAllowed: true,
      unlistable: "fails",
      onProgress: ({ objects }) => onProgress(objects),
    });
    await forEachPartEntry(listed.parts, each);
    listed.remove();
    return;
  }
  let objects = 0;
  await runListing(lister, {
    request,
    empty: "absent-too",
    consume: async (stream) => {
      await forEachEntry(stream, (entry) => {
        if (entry.IsDir) return;
        each(entry);
        if (++objects % 1000 === 0) onProgress(objects);
      });
      return { objects, commit: () => {}, abort: () => {} };
    },
  });
}
