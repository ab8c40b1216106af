import { invalidInput, messageOf } from "./errors.ts";
import { formatObjects } from "./units.ts";

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const newline = 0x0a;
const carriageReturn = 0x0d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;
const openingBracket = 0x5b;
const closingBracket = 0x5d;
/** No writer makes an object that is longer than this: the reader stops before it fills the memory. */
const objectBytesMax = 16 * 1024 * 1024;
/** A line that is longer than this is taken to hold more than one object. */
const lineBytesMax = 64 * 1024;

/**
 * Takes JSON in pieces and in any layout: objects after each other or arrays of objects, on one line or on many. Calls
 * `each` with every object and the number of the line that it begins in. Throws invalid input, naming file and line, for
 * anything else. At the end it throws for an object or an array that is not closed.
 */
export class JsonObjects {
  readonly #name: string;
  readonly #each: (object: object, line: number) => void;
  #line = 1;
  #objects = 0;
  #inArray = false;
  /** What may follow outside of objects. */
  #next: "any" | "first" | "object" | "separator" = "any";
  /** The number of brackets that are open in the object that is being read; 0 outside of objects. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  #beganInLine = 1;
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** Up to here the line holds more than one object, and none is looked for that ends with its line. */
  #crowdedUntil = -1;

  constructor(name: string, each: (object: object, line: number) => void) {
    this.#name = name;
    this.#each = each;
  }

  /** Takes the next bytes, and keeps no reference to them. */
  take(bytes: Buffer): void {
    let at = 0;
    this.#crowdedUntil = -1;
    while (at < bytes.length) at = this.#depth > 0 ? this.#inside(bytes, at) : this.#between(bytes, at);
  }

  end(): void {
    const again = "the listing ended early, and is to be made again";
    if (this.#depth > 0) {
      throw invalidInput(`${this.#name}:${this.#beganInLine}: the object has no end: ${again}`);
    }
    if (!this.#inArray) return;
    const after = `after ${formatObjects(this.#objects)}`;
    throw invalidInput(`${this.#name}:${this.#line}: the array has no closing bracket, ${after}: ${again}`);
  }

  /** Reads the bytes between objects, and whole objects that have a line to themselves. */
  #between(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const code = bytes[at] as number;
      if (code === newline) this.#line++;
      else if (code === openingBrace && this.#next !== "separator") {
        const end = this.#wholeLine(bytes, at);
        if (end === -1) {
          this.#depth = 1;
          this.#beganInLine = this.#line;
          this.#keep(bytes.subarray(at, at + 1));
          return at + 1;
        }
        at = end - 1;
      } else if (!isBlank(code) && !this.#isSyntax(code)) throw this.#unexpected(bytes, at);
    }
    return bytes.length;
  }

  /** Takes a bracket or a comma of an array; false for one that may not stand there. */
  #isSyntax(code: number): boolean {
    if (code === openingBracket && this.#next === "any") {
      this.#inArray = true;
      this.#next = "first";
    } else if (code === closingBracket && (this.#next === "first" || this.#next === "separator")) {
      this.#inArray = false;
      this.#next = "any";
    } else if (code === comma && this.#next === "separator") this.#next = "object";
    else return false;
    return true;
  }

  /** Reads the object at `from` if it ends with its line. Returns the offset of its end, or -1. */
  #wholeLine(bytes: Buffer, from: number): number {
    if (from < this.#crowdedUntil) return -1;
    const lineEnd = bytes.indexOf(newline, from);
    let end = lineEnd;
    if (end === -1 || end - from > lineBytesMax) {
      this.#crowdedUntil = end === -1 ? bytes.length : end;
      return -1;
    }
    if (bytes[end - 1] === carriageReturn) end--;
    if (bytes[end - 1] === comma) end--;
    if (bytes[end - 1] === closingBrace) {
      try {
        this.#give(JSON.parse(bytes.toString("utf8", from, end)), this.#line);
        return end;
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
    this.#crowdedUntil = lineEnd;
    return -1;
  }

  /** Reads on in an object. Returns the offset of the object's end, or of the end of the bytes. */
  #inside(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const code = bytes[at] as number;
      if (code === newline) this.#line++;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (code === backslash) this.#escaped = true;
        else if (code === quote) this.#inString = false;
      } else if (code === quote) this.#inString = true;
      else if (code === openingBrace || code === openingBracket) this.#depth++;
      else if ((code === closingBrace || code === closingBracket) && --this.#depth === 0) {
        this.#keep(bytes.subarray(from, at + 1));
        const text = Buffer.concat(this.#rest).toString("utf8");
        this.#rest = [];
        this.#restBytes = 0;
        this.#give(this.#parse(text), this.#beganInLine);
        return at + 1;
      }
    }
    this.#keep(bytes.subarray(from));
    return bytes.length;
  }

  #keep(bytes: Buffer): void {
    this.#rest.push(Buffer.from(bytes));
    this.#restBytes += bytes.length;
    if (this.#restBytes <= objectBytesMax) return;
    throw invalidInput(`${this.#name}:${this.#beganInLine}: an object longer than ${objectBytesMax} bytes`);
  }

  #parse(text: string): object {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw invalidInput(`${this.#name}:${this.#beganInLine}: no JSON: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  #give(object: object, line: number): void {
    this.#objects++;
    this.#next = this.#inArray ? "separator" : "any";
    this.#each(object, line);
  }

  #unexpected(bytes: Buffer, at: number): Error {
    const lineEnd = bytes.indexOf(newline, at);
    const found = bytes.toString("utf8", at, Math.min(at + 80, lineEnd === -1 ? bytes.length : lineEnd));
    return invalidInput(
      `${this.#name}:${this.#line}: unexpected ${JSON.stringify(found)} after ${formatObjects(this.#objects)}`,
    );
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === carriageReturn;
}
