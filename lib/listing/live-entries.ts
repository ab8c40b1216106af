import { type ListingEntry, parseListingLine } from "./entry.ts";

/** The listing is divided: what was taken of it as it came is not its beginning any more. */
export class Divided extends Error {}

/**
 * The entries of a parallel listing as they come, for as long as it is listed in one piece: what is made of them is then
 * made when it ends, rather than after it.
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

  /** Resolves when the listing has ended and was never divided; rejects with Divided, or why it failed, otherwise. */
  get end(): Promise<void> {
    return this.#end.promise;
  }

  /** Takes an entry's line. */
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
