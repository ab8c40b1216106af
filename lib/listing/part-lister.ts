import { writeWhole } from "../system/durable.ts";
import type { ListingEntry, ListingTotals } from "./entry.ts";
import type { Level } from "./fan-out.ts";
import { type Lister, type ListingEnd, type ListingRequest, runListing } from "./lister.ts";
import type { LiveEntries } from "./live-entries.ts";
import type { KeptPart, PartNote, PartStore } from "./part-store.ts";
import { rootBelow } from "./prefix.ts";
import { forEachEntry } from "./read-entries.ts";

/** A listing in parts, side by side. */
export interface ParallelOptions {
  /** What a serial listing would ask for. */
  request: ListingRequest;
  listers: number;
  /** Where finished parts are kept, for the next try if this one fails. */
  partsDir: string;
  /** Whether a root that does not exist is an empty one. */
  absentAllowed: boolean;
  /** Whether folders that cannot be listed are told, or fail the listing. */
  unlistable: "fails" | "told";
  onProgress: (totals: ListingTotals) => void;
  /** Is given the entries as they come, until the listing is divided. */
  live?: LiveEntries | undefined;
  /** Divides at the first chance, whatever it costs. */
  atOnce?: boolean;
}

/** Lists parts of a root. */
export class PartLister {
  readonly #lister: Lister;
  readonly #options: ParallelOptions;
  readonly #store: PartStore;
  /** Folders that rclone looks into at a time; undefined leaves it to rclone. */
  readonly #checkers: number | undefined;

  constructor(lister: Lister, options: ParallelOptions, store: PartStore, checkers: number | undefined) {
    this.#lister = lister;
    this.#options = options;
    this.#store = store;
    this.#checkers = checkers;
  }

  /** Lists what is directly below a prefix; there is no part of it where rclone left something out. */
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

  /** Runs one listing of all below a prefix, or of what is directly there. */
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
      // A prefix that cannot be listed is one folder of the whole.
      unlistable: unlistable === "fails" || prefix === "" ? unlistable : "told-of-root-too",
      consume: read,
    });
  }
}

/** The note of a part, with what rclone said of it. */
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
