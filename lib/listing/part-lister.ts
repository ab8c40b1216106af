import { writeWhole } from "../system/durable.ts";
import type { ListingEntry, ListingTotals } from "./entry.ts";
import type { Level } from "./fan-out.ts";
import { type ListingEnd, runListing } from "./lister.ts";
import type { LiveEntries } from "./live-entries.ts";
import type { KeptPart, PartNote, PartStore } from "./part-store.ts";
import { rootBelow } from "./prefix.ts";
import { forEachEntry } from "./read-entries.ts";
import type { ListingRequest, ListingSetup } from "./request.ts";

/** A listing in parts that run side by side. */
export interface ParallelOptions {
  /** The request of a serial listing of the same root. */
  request: ListingRequest;
  listers: number;
  /** The folder for finished parts, which the next try uses if this one fails. */
  partsDir: string;
  /** Whether an absent root counts as empty. */
  absentAllowed: boolean;
  /** Whether folders that cannot be listed are named, or fail the listing. */
  unlistable: "fails" | "told";
  onProgress: (totals: ListingTotals) => void;
  /** Gets the entries while they come, until the listing is divided. */
  live?: LiveEntries | undefined;
  /** Whether the listing is divided at the first chance, whatever it costs. */
  atOnce?: boolean;
}

/** Lists parts of a root. */
export class PartLister {
  readonly #lister: ListingSetup;
  readonly #options: ParallelOptions;
  readonly #store: PartStore;
  /** How many folders rclone lists at a time; undefined for rclone's own default. */
  readonly #checkers: number | undefined;

  constructor(
    lister: ListingSetup,
    options: ParallelOptions,
    store: PartStore,
    checkers: number | undefined,
  ) {
    this.#lister = lister;
    this.#options = options;
    this.#store = store;
    this.#checkers = checkers;
  }

  /** Lists the level directly below a prefix. The level is no part when rclone left an entry out of it. */
  async level(
    prefix: string,
  ): Promise<{ level: Level; part: KeptPart | undefined; version: string | undefined }> {
    const names: string[] = [];
    const { file, keep } = this.#store.start("level", prefix);
    let objects = 0;
    const read = async (stream: AsyncIterable<Uint8Array>) => {
      const take = (entry: ListingEntry) => {
        if (entry.IsDir) names.push(entry.Path);
        else objects++;
      };
      const closed = await forEachEntry(copyTo(file, stream), take, { mayStayOpen: true });
      if (!closed) file.writeText("\n]\n");
      return { objects, closed };
    };
    const end = await writeWhole(file, () => this.list(prefix, false, read));
    const dropped = end.dropped[0]?.reason;
    const part = keep({ ...noteOf(objects, { ...end, dropped: [] }), dropped: dropped ?? null });
    return {
      level: { prefix, names, dropped },
      part: dropped === undefined ? part : undefined,
      version: end.version,
    };
  }

  /** Runs one listing of everything below a prefix, or of the level directly below it. */
  list(
    prefix: string,
    isTree: boolean,
    read: (
      stream: AsyncIterable<Uint8Array>,
    ) => Promise<{ objects: number; closed: boolean; isOver?: boolean }>,
  ): Promise<ListingEnd> {
    const { request, absentAllowed, unlistable } = this.#options;
    const root = rootBelow(request.root, prefix);
    return runListing(this.#lister, {
      request: {
        ...{ ...request, root, mountedRoot: request.root, recursive: isTree, filesOnly: isTree },
        ...(this.#checkers === undefined ? {} : { checkers: this.#checkers }),
      },
      empty: absentAllowed && prefix === "" ? "absent-too" : "allowed",
      // The root of a part is one folder of the whole listing.
      unlistable: unlistable === "fails" || prefix === "" ? unlistable : "told-of-root-too",
      consume: read,
    });
  }
}

/** The note of a part, with everything that rclone left out of it. */
export function noteOf(objects: number, end: ListingEnd | undefined): PartNote {
  return {
    objects,
    left_out: end?.leftOut ?? 0,
    first_left_out: end?.firstLeftOut ?? null,
    dropped: null,
    unlistable: [...(end?.unlistable ?? []), ...(end?.dropped ?? [])],
  };
}

async function* copyTo(
  file: { write(data: Uint8Array): void },
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    file.write(chunk);
    yield chunk;
  }
}
