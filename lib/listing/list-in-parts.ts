import { rootedFilter } from "../rclone/user-flags.ts";
import { invalidInput } from "../system/errors.ts";
import { log } from "../system/log.ts";
import { formatCount } from "../system/units.ts";
import { DividedListing } from "./divided-listing.ts";
import type { Unlistable } from "./lister-messages.ts";
import type { ParallelOptions } from "./part-lister.ts";
import { PartStore } from "./part-store.ts";
import type { Part } from "./parts.ts";
import { compareUtf8, joinPrefix } from "./prefix.ts";
import { type ListingRequest, type ListingSetup, listingCpus } from "./request.ts";

/** All parts of a listing, ordered by the UTF-8 bytes of their prefixes. Together they hold every object once. */
export interface ListedParts {
  parts: Part[];
  leftOut: number;
  firstLeftOut: string | undefined;
  /** Folders that could not be listed, by their paths below the root. */
  unlistable: readonly Unlistable[];
  /** rclone's version, where a part was listed in this try and rclone told it. */
  version: string | undefined;
  /** Whether the directory does not exist; of an object store, the bucket. */
  absent: boolean;
  /** Removes the folder of the parts. */
  remove(): void;
}

/**
 * Lists a root with several listings at a time. One begins as a serial listing does. Others take prefixes far ahead of it,
 * where that is worth the cost. Finished parts of an earlier try are not listed again. Throws operation failed when a part
 * cannot be listed to its end; finished parts stay in the folder.
 */
export async function listParts(setup: ListingSetup, options: ParallelOptions): Promise<ListedParts> {
  const { request, partsDir } = options;
  checkDivisible(request);
  const open = () =>
    PartStore.open(partsDir, {
      source_root: request.root,
      rclone_config: setup.configPath ?? null,
      modtime: request.modtime,
      hash: request.hash,
      flags: request.extraFlags,
    });
  let store = open();
  try {
    // An object store lists in the order of keys, prefix by prefix; other places are walked by one rclone.
    let divided = begin(setup, options, store, request.kind === "s3");
    try {
      await divided.list();
    } catch (error) {
      if (divided.outOfOrder === undefined) throw error;
      log.info(
        `${request.root} is listed in one piece: it does not list its keys in order (${divided.outOfOrder})`,
      );
      // A part that seemed whole may lack entries that came later.
      store.remove();
      store = open();
      divided = begin(setup, options, store, false);
      await divided.list();
    }
    const parts = [...divided.parts].sort((a, b) => compareUtf8(a.prefix, b.prefix));
    return {
      parts,
      leftOut: parts.reduce((sum, { note }) => sum + note.left_out, 0),
      firstLeftOut: parts.find(({ note }) => note.first_left_out !== null)?.note.first_left_out ?? undefined,
      unlistable: [
        ...divided.dropped,
        ...parts.flatMap(({ note, prefix }) =>
          note.unlistable.map(({ path, reason }) => ({ path: below(prefix, path), reason })),
        ),
      ],
      version: divided.version,
      absent: divided.absent,
      remove: () => store.remove(),
    };
  } catch (error) {
    const kept = store.count;
    if (kept === 0) store.remove();
    else log.info(`${formatCount(kept)} finished parts of the listing are kept in ${store.dir}`);
    throw error;
  }
}

function begin(
  setup: ListingSetup,
  options: ParallelOptions,
  store: PartStore,
  isDivisible: boolean,
): DividedListing {
  const cpus = Math.max(1, Math.floor(listingCpus / options.listers));
  return new DividedListing(
    { ...setup, cpus: isDivisible ? cpus : listingCpus },
    options,
    store,
    isDivisible,
  );
}

/** The path below the root of a folder that a part calls `path`; the part calls its own folder "". */
function below(prefix: string, path: string): string {
  return path === "" ? prefix : joinPrefix(prefix, path);
}

/** Throws invalid input for a listing whose parts would not add up to it. */
function checkDivisible({ recursive, extraFlags }: ListingRequest): void {
  if (!recursive) throw invalidInput("--list-parallel: a listing that is not recursive has no parts");
  // Each part has a root of its own.
  const filter = rootedFilter(extraFlags, process.env);
  if (filter !== undefined) {
    throw invalidInput(
      `--list-parallel: ${filter} depends on the root that is listed, and parts have others: list without it, or serially`,
    );
  }
}
