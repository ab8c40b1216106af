import { type ListingEntry, parseListingLine } from "./entry.ts";

/** Says that a listing was divided: the entries that were taken while it came are not its beginning. */
export class Divided extends Error {}

/**
 * Passes on the entries of a parallel listing while they come, for as long as it is listed in one piece. A manifest that is
 * made of them is then finished together with the listing.
 */
export class LiveEntries {
  readonly #each: (entry: ListingEntry) => void;
  readonly #decoder = new TextDecoder();
  readonly #end = Promise.withResolvers<void>();
  #isOver = false;

  constructor(each: (entry: ListingEntry) => void) {
    this.#each = each;
    this.#end.promise.catch(() => {});
  }

  /** Resolves when the listing has ended and was never divided. Otherwise rejects with Divided, or with the failure. */
  get end(): Promise<void> {
    return this.#end.promise;
  }

  /** Takes the line of an entry. */
  take(line: Uint8Array): void {
    if (this.#isOver) return;
    const parsed = parseListingLine(this.#decoder.decode(line));
    if (parsed.kind === "entry") this.#each(parsed.entry);
  }

  finish(): void {
    this.#isOver = true;
    this.#end.resolve();
  }

  fail(reason: unknown): void {
    this.#isOver = true;
    this.#end.reject(reason);
  }
}
