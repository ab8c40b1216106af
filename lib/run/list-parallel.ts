import type { Unlistable } from "../listing/lister-messages.ts";
import {
  type Level,
  levelsMax,
  partsMax,
  partsWanted,
  prefixesOf,
  splitProblem,
} from "../manifest/fan-out.ts";
import type { ListingEntry } from "../manifest/listing.ts";
import { compareUtf8, joinPrefix, type Part } from "../manifest/parts.ts";
import { countEntries, forEachEntry } from "../manifest/read-listing.ts";
import { joinRoot } from "../manifest/root.ts";
import type { ListingTotals } from "../manifest/write-listing.ts";
import { rootedFilter } from "../rclone/flags.ts";
import { invalidInput } from "../system/errors.ts";
import { fileChunks } from "../system/lines.ts";
import { log } from "../system/log.ts";
import { mapSideBySide } from "../system/side-by-side.ts";
import { formatCount } from "../system/units.ts";
import { type Lister, type ListingRequest, listingCpus, runListing } from "./lister.ts";
import { type KeptPart, type PartKind, PartStore } from "./part-store.ts";

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
}

/** All parts of a listing, in the order of their prefixes by UTF-8 bytes; together they hold every object once. */
export interface ListedParts {
  parts: Part[];
  leftOut: number;
  firstLeftOut: string | undefined;
  /** Folders that could not be listed, by their paths below the root. */
  unlistable: readonly Unlistable[];
  /** rclone's version, where the request asks for it and a part was listed in this try. */
  version: string | undefined;
  /** Whether there is no such directory; of an object store, no such bucket. */
  absent: boolean;
  /** Removes the folder of the parts. */
  remove(): void;
}

/**
 * Lists a root in parts, several at a time: a few levels of prefixes are looked at, each level being a part of its own,
 * until there are prefixes enough to list in whole. Parts that are there from an earlier try are not listed again.
 * Throws operation failed when a part cannot be listed to its end; what is finished stays in the folder.
 */
export async function listParts(lister: Lister, options: ParallelOptions): Promise<ListedParts> {
  const { request, listers, partsDir } = options;
  checkDivisible(request);
  const store = PartStore.open(partsDir, {
    source_root: request.root,
    rclone_config: lister.configPath ?? null,
    modtime: request.modtime,
    hash: request.hash,
    flags: request.extraFlags,
  });
  const failure = new AbortController();
  const divided = new DividedListing(
    {
      ...lister,
      cpus: Math.max(1, Math.floor(listingCpus / listers)),
      stop: AbortSignal.any([lister.stop, failure.signal]),
    },
    options,
    store,
    failure,
  );
  try {
    const parts = await divided.list();
    return {
      parts,
      leftOut: parts.reduce((sum, { note }) => sum + note.left_out, 0),
      firstLeftOut: parts.find(({ note }) => note.first_left_out !== null)?.note.first_left_out ?? undefined,
      unlistable: parts.flatMap(({ note, prefix }) =>
        note.unlistable.map(({ path, reason }) => ({ path: below(prefix, path), reason })),
      ),
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

/** The path below the root of a folder that a part calls `path`, which is "" for the part's own. */
function below(prefix: string, path: string): string {
  return path === "" ? prefix : joinPrefix(prefix, path);
}

/** Throws invalid input for a listing whose parts would not add up to it. */
function checkDivisible({ recursive, extraFlags }: ListingRequest): void {
  if (!recursive) throw invalidInput("--list-parallel: a listing that is not recursive has no parts");
  // A part has another root.
  const filter = rootedFilter(extraFlags, process.env);
  if (filter !== undefined) {
    throw invalidInput(
      `--list-parallel: ${filter} depends on the root that is listed, and parts have others: list without it, or serially`,
    );
  }
}

/** One run of a listing in parts. */
class DividedListing {
  readonly #lister: Lister;
  readonly #options: ParallelOptions;
  readonly #store: PartStore;
  readonly #failure: AbortController;
  readonly #totals: ListingTotals = { objects: 0, bytes: 0 };
  #undivided: { prefix: string; problem: string }[] = [];
  version: string | undefined;
  absent = false;

  constructor(lister: Lister, options: ParallelOptions, store: PartStore, failure: AbortController) {
    this.#lister = lister;
    this.#options = options;
    this.#store = store;
    this.#failure = failure;
  }

  async list(): Promise<KeptPart[]> {
    const { listers } = this.#options;
    const parts: KeptPart[] = [];
    const whole: string[] = [];
    let frontier = [""];
    for (let depth = 0; depth < levelsMax && frontier.length > 0; depth++) {
      if (depth > 0 && whole.length + frontier.length >= partsWanted(listers)) break;
      const levels = await this.#each(frontier, (prefix) => this.#level(prefix));
      frontier = [];
      levels.forEach(({ level, part }, index) => {
        const taken = parts.length + whole.length + frontier.length + (levels.length - index);
        const problem = splitProblem(level, partsMax - taken);
        if (problem === undefined) {
          if (part) parts.push(part);
          frontier.push(...prefixesOf(level));
        } else {
          whole.push(level.prefix);
          this.#undivided.push({ prefix: level.prefix, problem });
        }
      });
    }
    this.#sayUndivided();
    const trees = await this.#each([...whole, ...frontier], (prefix) => this.#tree(prefix));
    this.#sayEmpty(trees);
    return [...parts, ...trees].sort((a, b) => compareUtf8(a.prefix, b.prefix));
  }

  /** Does the work side by side; the first failure stops the listings that are under way. */
  #each<R>(prefixes: readonly string[], work: (prefix: string) => Promise<R>): Promise<R[]> {
    return mapSideBySide(prefixes, this.#options.listers, async (prefix) => {
      try {
        return await work(prefix);
      } catch (error) {
        this.#failure.abort("SIGTERM");
        throw error;
      }
    });
  }

  async #level(prefix: string): Promise<{ level: Level; part: KeptPart | undefined }> {
    const names: string[] = [];
    const note = (entry: { Path: string; IsDir?: boolean | undefined }) => {
      if (entry.IsDir) names.push(entry.Path);
    };
    let part = this.#kept("level", prefix);
    if (part && part.note.dropped === null) await forEachEntry(fileChunks(part.path), note);
    part ??= await this.#listed("level", prefix, async (stream) => {
      const count = { objects: 0, bytes: 0 };
      const take = (entry: ListingEntry) => {
        note(entry);
        if (entry.IsDir) return;
        count.objects++;
        count.bytes += entry.Size;
      };
      const closed = await forEachEntry(stream, take, { mayStayOpen: true });
      this.#add(count.objects, count.bytes);
      return { ...count, closed };
    });
    return { level: { prefix, names, dropped: part?.note.dropped ?? undefined }, part };
  }

  async #tree(prefix: string): Promise<KeptPart> {
    const part =
      this.#kept("tree", prefix) ??
      (await this.#listed("tree", prefix, async (stream) => {
        const seen = { objects: 0, bytes: 0 };
        const count = (objects: number, bytes: number) => {
          this.#add(objects - seen.objects, bytes - seen.bytes);
          Object.assign(seen, { objects, bytes });
        };
        const total = await countEntries(stream, count);
        count(total.objects, total.bytes);
        return total;
      }));
    if (!part) throw new Error(`no part was made of ${prefix}`);
    return part;
  }

  #kept(kind: PartKind, prefix: string): KeptPart | undefined {
    const part = this.#store.find(kind, prefix);
    if (part) this.#add(part.note.objects, 0);
    return part;
  }

  /** Lists one part into the folder; undefined when there is nothing where the root should be, and that is allowed. */
  async #listed(
    kind: PartKind,
    prefix: string,
    read: (stream: AsyncIterable<Uint8Array>) => Promise<{ objects: number; closed: boolean }>,
  ): Promise<KeptPart | undefined> {
    const { request, absentAllowed, unlistable } = this.#options;
    const { file, keep } = this.#store.start(kind, prefix);
    const tree = kind === "tree";
    let committed = false;
    const root = prefix === "" ? request.root : joinRoot(request.root, prefix);
    const end = await runListing(this.#lister, {
      request: { ...request, root, mountedRoot: request.root, recursive: tree, filesOnly: tree },
      empty: absentAllowed && prefix === "" ? "absent-too" : "allowed",
      // A prefix that cannot be listed is one folder of the whole.
      unlistable: unlistable === "fails" || prefix === "" ? unlistable : "told-of-root-too",
      consume: async (stream) => {
        try {
          const { objects, closed } = await read(copyTo(file, stream));
          if (!closed) file.writeText("\n]\n");
          return {
            objects,
            closed,
            abort: () => file.abort(),
            commit: () => {
              file.commit();
              committed = true;
            },
          };
        } catch (error) {
          file.abort();
          throw error;
        }
      },
    });
    this.version ??= end.version;
    this.absent ||= end.absent;
    if (!committed) return undefined;
    return keep({
      objects: end.objects,
      left_out: end.leftOut,
      first_left_out: end.firstLeftOut ?? null,
      dropped: tree ? null : (end.dropped[0]?.reason ?? null),
      // Of a level that rclone drops something of, the whole tree is listed.
      unlistable: [...end.unlistable, ...(tree ? end.dropped : [])],
    });
  }

  #add(objects: number, bytes: number): void {
    this.#totals.objects += objects;
    this.#totals.bytes += bytes;
    this.#options.onProgress(this.#totals);
  }

  #sayUndivided(): void {
    const [first] = this.#undivided;
    if (!first) return;
    const { root } = this.#options.request;
    const where = first.prefix === "" ? root : joinRoot(root, first.prefix);
    const more = this.#undivided.length > 1 ? ` (and ${this.#undivided.length - 1} more prefixes)` : "";
    log.info(`${where} is listed in one piece: ${first.problem}${more}`);
  }

  /** A prefix of an object store is there only while something is below it. */
  #sayEmpty(trees: readonly KeptPart[]): void {
    if (this.#options.request.kind !== "s3") return;
    const empty = trees.filter(({ note, prefix }) => note.objects === 0 && prefix !== "");
    if (empty[0]) {
      log.warn(
        `${empty.length} prefixes were seen but had no object when they were listed, the first: ${empty[0].prefix}`,
      );
    }
  }
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
