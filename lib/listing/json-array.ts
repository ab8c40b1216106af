import { operationFailed } from "../system/errors.ts";
import { formatObjects } from "../system/units.ts";
import { ArrayPosition } from "./array-position.ts";

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openingBracket = 0x5b;
const closingBracket = 0x5d;
const opening: ReadonlySet<number> = new Set([openingBracket, 0x7b]);
const closing: ReadonlySet<number> = new Set([closingBracket, 0x7d]);
const blank: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
/** No listing has an entry that is longer than this: the reader stops before it fills the memory. */
const elementCharsMax = 16 * 1024 * 1024;

/**
 * Calls `each` with the text of every element of a JSON array of objects in any layout, in order. The caller has to check that
 * the text is JSON. Throws operation failed when the stream ends before the array does, and for anything before or after it.
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
  readonly #position = new ArrayPosition();
  /** What may follow between elements: the first one, another one, or what separates them. */
  #expects: "first" | "element" | "separator" = "first";
  /** The number of brackets that are open in the element that is being read; 0 between elements. */
  #depth = 0;
  #inString = false;
  #escaped = false;
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
      } else if (this.#depth > 0) {
        if (code === quote) this.#inString = true;
        else if (opening.has(code)) this.#depth++;
        else if (closing.has(code) && --this.#depth === 0) {
          this.#each(this.#rest + text.slice(start, at + 1));
          this.#rest = "";
          this.#elements++;
          this.#expects = "separator";
        }
      } else if (this.#isBetween(code)) {
        if (this.#depth > 0) start = at;
      } else {
        throw this.#notAnArray(text.slice(at, at + 80));
      }
    }
    if (this.#depth > 0) this.#rest += text.slice(start);
    if (this.#rest.length > elementCharsMax) throw this.#notAnArray(this.#rest.slice(0, 80));
  }

  /** Takes a character between elements; false for one that may not stand there. */
  #isBetween(code: number): boolean {
    if (blank.has(code)) return true;
    const position = this.#position;
    if (!position.isInside) return code === openingBracket && position.takes("open");
    if (code === closingBracket) return this.#expects !== "element" && position.takes("close");
    if (this.#expects !== "separator") {
      if (opening.has(code)) this.#depth = 1;
      return this.#depth === 1;
    }
    if (code === comma) this.#expects = "element";
    return code === comma;
  }

  end(): void {
    if (this.#position.isClosed) return;
    throw operationFailed(
      `the listing ended early, after ${formatObjects(this.#elements)}: no ${this.#position.isBefore ? "opening" : "closing"} bracket`,
    );
  }

  #notAnArray(found: string): Error {
    return operationFailed(
      `the listing is not one JSON array of objects: after ${formatObjects(this.#elements)} unexpected ${JSON.stringify(found)}`,
    );
  }
}
