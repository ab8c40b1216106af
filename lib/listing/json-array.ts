import { operationFailed } from "../system/errors.ts";
import { formatObjects } from "../system/units.ts";

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openingBracket = 0x5b;
const closingBracket = 0x5d;
const opening: ReadonlySet<number> = new Set([openingBracket, 0x7b]);
const closing: ReadonlySet<number> = new Set([closingBracket, 0x7d]);
const blank: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
/** An element longer than this is no listing's entry: reading stops rather than fill the memory. */
const elementCharsMax = 16 * 1024 * 1024;

/**
 * Calls `each` with the text of every element of a JSON array of objects, however it is laid out, in order; whether that
 * text is JSON is for the caller to see. Throws operation failed when the stream ends before the array does, and
 * for anything before or after it.
 */
export async function forEachArrayElement(
  stream: AsyncIterable<Uint8Array>,
  each: (text: string) => void,
): Promise<void> {
  const splitter = new ArraySplitter(each);
  const decoder = new TextDecoder();
  for await (const chunk of stream) splitter.take(decoder.decode(chunk, { stream: true }));
  splitter.take(decoder.decode());
  splitter.end();
}

class ArraySplitter {
  readonly #each: (text: string) => void;
  /** Brackets that are open: 0 outside of the array, 1 between its elements. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  #state: "before" | "first" | "element" | "separator" | "after" = "before";
  #rest = "";
  #elements = 0;

  constructor(each: (text: string) => void) {
    this.#each = each;
  }

  take(text: string): void {
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (code === backslash) this.#escaped = true;
        else if (code === quote) this.#inString = false;
      } else if (this.#depth > 1) {
        if (code === quote) this.#inString = true;
        else if (opening.has(code)) this.#depth++;
        else if (closing.has(code) && --this.#depth === 1) {
          this.#each(this.#rest + text.slice(start, at + 1));
          this.#rest = "";
          this.#elements++;
          this.#state = "separator";
        }
      } else if (this.#isBetween(code)) {
        if (this.#depth > 1) start = at;
      } else {
        throw this.#notAnArray(text.slice(at, at + 80));
      }
    }
    if (this.#depth > 1) this.#rest += text.slice(start);
    if (this.#rest.length > elementCharsMax) throw this.#notAnArray(this.#rest.slice(0, 80));
  }

  /** Takes a character outside of the elements; false for one that may not stand there. */
  #isBetween(code: number): boolean {
    const state = this.#state;
    if (blank.has(code)) return true;
    if (state === "before" && code === openingBracket) {
      this.#depth = 1;
      this.#state = "first";
    } else if ((state === "first" || state === "element") && opening.has(code)) {
      this.#depth = 2;
    } else if (state === "separator" && code === comma) {
      this.#state = "element";
    } else if ((state === "separator" || state === "first") && code === closingBracket) {
      this.#depth = 0;
      this.#state = "after";
    } else {
      return false;
    }
    return true;
  }

  end(): void {
    if (this.#state === "after") return;
    throw operationFailed(
      `the listing ended early, after ${formatObjects(this.#elements)}: no ${this.#state === "before" ? "opening" : "closing"} bracket`,
    );
  }

  #notAnArray(found: string): Error {
    return operationFailed(
      `the listing is not one JSON array of objects: after ${formatObjects(this.#elements)} unexpected ${JSON.stringify(found)}`,
    );
  }
}
