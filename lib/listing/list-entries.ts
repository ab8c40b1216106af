import type { CoverPlace } from "./cover.ts";
import { isMarker, type ListingEntry } from "./entry.ts";
import { listParts } from "./list-in-parts.ts";
import { type ListingEnd, runListing } from "./lister.ts";
import { forEachPartEntry } from "./parts.ts";
import { forEachEntryOf } from "./places.ts";
import { joinPrefix } from "./prefix.ts";
import { forEachEntry } from "./read-entries.ts";
import type { ListingRequest, ListingSetup } from "./request.ts";

/** A listing whose objects are taken one by one. */
export interface EntriesOptions {
  request: ListingRequest;
  /** How many listings run side by side. */
  listers: number;
  /** The folder for finished parts, where several listings run. */
  partsDir: string;
  onProgress: (objects: number) => void;
  each: (entry: ListingEntry) => void;
}

/**
 * Lists a root that may be empty or absent, and calls `each` for every object but directory markers, in any order. Returns how
 * the listing ended. It names the folders that cannot be listed; objects below these are missing.
 */
export async function listEntries(
  setup: ListingSetup,
  options: EntriesOptions,
): Promise<Pick<ListingEnd, "leftOut" | "version" | "unlistable" | "absent">> {
  const { request, onProgress } = options;
  const each = (entry: ListingEntry) => {
    if (!isMarker(entry)) options.each(entry);
  };
  if (options.listers > 1) {
    const listed = await listParts(setup, {
      request,
      listers: options.listers,
      partsDir: options.partsDir,
      absentAllowed: true,
      unlistable: "told",
      onProgress: ({ objects }) => onProgress(objects),
    });
    await forEachPartEntry(listed.parts, each);
    listed.remove();
    return listed;
  }
  let objects = 0;
  return await runListing(setup, {
    request,
    empty: "absent-too",
    unlistable: "told",
    consume: async (stream) => {
      const take = (entry: ListingEntry) => {
        if (entry.IsDir) return;
        each(entry);
        if (++objects % 1000 === 0) onProgress(objects);
      };
      const closed = await forEachEntry(stream, take, { mayStayOpen: true });
      return { objects, closed };
    },
  });
}

/**
 * Lists some places below a root in one start of rclone's container, and calls `each` for every object but directory markers.
 * A place may be empty or absent.
 */
export async function listPlaces(
  setup: ListingSetup,
  request: ListingRequest & { places: readonly CoverPlace[] },
  each: (entry: ListingEntry) => void,
): Promise<Pick<ListingEnd, "leftOut" | "version">> {
  let objects = 0;
  return await runListing(setup, {
    request,
    empty: "allowed",
    consume: async (stream) => {
      await forEachEntryOf(request.places.length, stream, (entry, place) => {
        if (entry.IsDir || isMarker(entry)) return;
        objects++;
        entry.Path = joinPrefix(request.places[place]?.prefix ?? "", entry.Path);
        each(entry);
      });
      return { objects };
    },
  });
}
