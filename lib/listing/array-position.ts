import type { ListingLine } from "./entry.ts";

/** Where a reader is in the one JSON array that a listing is. */
export class ArrayPosition {
  #at: "before" | "inside" | "after" = "before";

  get isBefore(): boolean {
    return this.#at === "before";
  }

  get isInside(): boolean {
    return this.#at === "inside";
  }

  /** Whether the closing bracket was read. */
  get isClosed(): boolean {
    return this.#at === "after";
  }

  /** Goes on with what was read next; false where that may not stand. */
  takes(kind: ListingLine["kind"]): boolean {
    if (kind === "blank") return true;
    if (this.#at !== (kind === "open" ? "before" : "inside")) return false;
    if (kind === "open") this.#at = "inside";
    else if (kind === "close") this.#at = "after";
    return true;
  }
}
