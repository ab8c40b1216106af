import { closeSync, openSync, readSync } from "node:fs";
import { operationFailed } from "../system/errors.ts";
import { compareUtf8, joinPrefix } from "./prefix.ts";
import { medianOf, type NextLevel } from "./relief.ts";

/** A part that is being written. */
export interface PartInMaking {
  write(data: Uint8Array): void;
  /** The path under which the content so far can be read. */
  written(): string;
  commit(): void;
  abort(): void;
}

/** A level at which a tree is divided: each prefix directly below it is a part of its own. */
export interface DividedLevel {
  /** The prefix of the level, below the root of the whole listing. */
  prefix: string;
  /** The names of prefixes that nobody has begun to list, ordered by their UTF-8 bytes. */
  ahead: string[];
  /** The names of prefixes that other listings have claimed. */
  claimed: Set<string>;
  /** How many objects each finished prefix holds, whoever listed it. */
  sizes: number[];
  /** The name of the prefix that the listing is in; undefined among objects directly in the level. */
  current: string | undefined;
  left: Set<string>;
  enteredAt: number;
}

/** Says that a store does not list keys in order: the entries of a prefix may not all come together. */
export class OutOfOrder extends Error {}

/** The beginning of an entry's line, and the bytes after the path. Neither occurs in a path, whose quotes are escaped. */
const lineHead = Buffer.from('{"Path":"');
const pathTail = Buffer.from('","Name":"');
const [slash, comma, openBrace] = [0x2f, 0x2c, 0x7b];
const [opening, between, closing, empty] = ["[\n", ",\n", "\n]\n", "[\n]\n"].map((text) => Buffer.from(text));

interface OpenPart {
  prefix: string;
  file: PartInMaking;
  objects: number;
}

/**
 * Takes a recursive listing of one prefix, line by line, and writes it as parts. Until the tree is divided at a level there is
 * one part. From then on each prefix directly below that level is a part, and other listings may claim prefixes that this one
 * has not reached. The listing ends where it would enter a claimed prefix.
 *
 * All this is right only if the store lists keys in the order of their bytes, as S3 does. The order is checked.
 */
export class TreeParts {
  readonly levels: DividedLevel[] = [];
  objects = 0;
  /** Whether the tree was ever divided. */
  isDivided = false;
  readonly #start: (prefix: string) => PartInMaking;
  readonly #finished: (prefix: string, file: PartInMaking, objects: number) => void;
  #open: OpenPart | undefined;
  /** The folder of the last line, escaped as it is there, and how many of its bytes belong to the open part's prefix. */
  #folder: Buffer = Buffer.alloc(0);
  #strip = 0;
  #hasFolder = false;
  /** The path of the last line, escaped as it is there, in the first bytes of a buffer. */
  readonly #last = { bytes: Buffer.alloc(64 * 1024), length: 0 };
  #isOrdered = true;
  /** What the listing has seen of the level below the divided ones. */
  #next = emptyNext();

  /** `start` opens the file of a part; `finished` gets each part that is whole. */
  constructor(
    prefix: string,
    start: (prefix: string) => PartInMaking,
    finished: (prefix: string, file: PartInMaking, objects: number) => void,
  ) {
    this.#start = start;
    this.#finished = finished;
    this.#open = { prefix, file: start(prefix), objects: 0 };
  }

  /** The prefix of the open part, at whose level the tree could be divided next. */
  get openPrefix(): string | undefined {
    return this.#open?.prefix;
  }

  /** What is known of the prefixes below the open part. Undefined while the listing is in none, or cannot be divided. */
  next(): NextLevel | undefined {
    const { name, objects, sizes, own } = this.#next;
    if (this.#open === undefined || name === undefined || !this.#isOrdered) return undefined;
    const ownShare = own / Math.max(1, this.#open.objects);
    return { seen: sizes.length, objects: medianOf(sizes) ?? objects, current: objects, ownShare };
  }

  /** How many objects a prefix of a level holds: the median of the finished ones, or the count so far. */
  typicalObjects(level: DividedLevel): number {
    return medianOf(level.sizes) ?? this.objects - level.enteredAt;
  }

  /** Takes the line of an entry. False when the entry is in a prefix that another listing has claimed: this listing is over. */
  take(line: Uint8Array): boolean {
    const bytes = asBuffer(line);
    this.#checkOrder(bytes);
    return this.#take(bytes, 0);
  }

  #checkOrder(line: Buffer): void {
    const [from, to] = [lineHead.length, line.indexOf(pathTail, lineHead.length)];
    const last = this.#last;
    if (!this.#isOrdered || to < from || to - from > last.bytes.length) return;
    if (line.compare(last.bytes, 0, last.length, from, to) < 0) {
      const before = last.bytes.toString("latin1", 0, last.length);
      const after = line.toString("latin1", from, to);
      if (isPlain(before) && isPlain(after)) {
        if (this.isDivided) throw new OutOfOrder(`${after} comes after ${before}`);
        this.#isOrdered = false;
      }
    }
    last.length = line.copy(last.bytes, 0, from, to);
  }

  /**
   * Divides the tree at the level of the open part. `names` are all prefixes directly below it. Objects directly in the level go
   * to no part here, since the look at the level has them.
   */
  divide(names: readonly string[]): void {
    const open = this.#open;
    if (!open) throw new Error("there is no open part to divide");
    const base = this.levels.length;
    const level: DividedLevel = {
      ...{ prefix: open.prefix, ahead: [...names].sort(compareUtf8), claimed: new Set<string>() },
      ...{ sizes: [], current: undefined, left: new Set<string>(), enteredAt: 0 },
    };
    this.isDivided = true;
    this.levels.push(level);
    this.#open = undefined;
    this.objects -= open.objects;
    this.#forget();
    try {
      forEachLineNow(open.file.written(), (line) => {
        if (line[0] === openBrace) this.#take(line, base);
      });
    } finally {
      open.file.abort();
    }
    this.#hasFolder = false;
  }

  /** Gives another listing the last prefix of a level that nobody has begun. */
  claim(level: DividedLevel): string {
    const name = level.ahead.pop();
    if (name === undefined) throw new Error(`nothing is ahead in ${level.prefix}`);
    level.claimed.add(name);
    return joinPrefix(level.prefix, name);
  }

  /** Ends the open part as whole: everything below its prefix has been taken. */
  finish(): void {
    if (!this.#open) return;
    const { prefix, file, objects } = this.#open;
    this.#open = undefined;
    file.write((objects === 0 ? empty : closing) as Buffer);
    this.#finished(prefix, file, objects);
  }

  /** Throws the open part away. Finished parts stay. */
  abort(): void {
    this.#open?.file.abort();
    this.#open = undefined;
  }

  /** Takes a line whose path begins below the first `base` levels. */
  #take(line: Buffer, base: number): boolean {
    const tail = line.indexOf(pathTail, lineHead.length);
    if (tail === -1 || !line.subarray(0, lineHead.length).equals(lineHead)) {
      throw operationFailed(
        `the listing has a line that rclone lsjson does not print: ${line.toString("utf8", 0, 200)}`,
      );
    }
    const end = Math.max(line.lastIndexOf(slash, tail) + 1, lineHead.length);
    const folder = line.subarray(lineHead.length, end);
    if (!this.#hasFolder || !folder.equals(this.#folder)) {
      if (!this.#enter(folder, base)) return false;
      this.#folder = Buffer.from(folder);
      this.#hasFolder = true;
    }
    this.objects++;
    this.#next.objects++;
    if (this.#next.name === undefined) this.#next.own++;
    const open = this.#open;
    if (!open) return true;
    open.file.write((open.objects++ === 0 ? opening : between) as Buffer);
    open.file.write(lineHead);
    const last = line[line.length - 1] === comma ? line.length - 1 : line.length;
    open.file.write(line.subarray(lineHead.length + this.#strip, last));
    return true;
  }

  /** Goes to another folder: ends the parts that do not hold it, and begins the one that does. */
  #enter(folder: Buffer, base: number): boolean {
    const raw = folder.toString("utf8").split("/").slice(0, -1);
    const above = this.levels.slice(0, base).map(({ current }) => current);
    const names = [...above, ...raw.map(unescaped)];
    const at = this.levels.findIndex(({ current }, index) => current !== names[index]);
    if (at !== -1 && !this.#move(at, names[at])) return false;
    const depth = this.levels.length;
    const within = raw.slice(0, Math.max(0, depth - base));
    this.#strip = within.reduce((bytes, name) => bytes + Buffer.byteLength(name) + 1, 0);
    this.#see(names[depth]);
    return true;
  }

  /** Leaves the prefix that the listing is in at a level, with all levels below it, for another prefix. */
  #move(at: number, name: string | undefined): boolean {
    this.finish();
    for (const level of this.levels.slice(at)) {
      if (level.current === undefined) continue;
      level.left.add(level.current);
      level.sizes.push(this.objects - level.enteredAt);
      level.current = undefined;
    }
    this.levels.length = at + 1;
    this.#forget();
    const level = this.levels[at];
    if (!level || name === undefined) return true;
    if (level.claimed.has(name)) return false;
    if (level.left.has(name)) throw new OutOfOrder(joinPrefix(level.prefix, name));
    level.ahead = level.ahead.filter((other) => other !== name);
    level.current = name;
    level.enteredAt = this.objects;
    const prefix = joinPrefix(level.prefix, name);
    this.#open = { prefix, file: this.#start(prefix), objects: 0 };
    return true;
  }

  /** Notes which prefix of the next level the listing is in. */
  #see(name: string | undefined): void {
    if (name === this.#next.name) return;
    if (this.#next.name !== undefined) this.#next.sizes.push(this.#next.objects);
    this.#next.name = name;
    this.#next.objects = 0;
  }

  #forget(): void {
    this.#next = emptyNext();
    this.#hasFolder = false;
  }
}

function emptyNext(): { name: string | undefined; objects: number; sizes: number[]; own: number } {
  return { name: undefined, objects: 0, sizes: [], own: 0 };
}

/** Whether rclone shows a path as the key is: a path that it shows otherwise comes at another place in the order. */
function isPlain(raw: string): boolean {
  return /^[ -[\]-~]*$/.test(raw);
}

function unescaped(raw: string): string {
  return raw.includes("\\") ? String(JSON.parse(`"${raw}"`)) : raw;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Reads the lines of a file at once, without a turn of the event loop, so that no other line comes in between. */
function forEachLineNow(path: string, each: (line: Buffer) => void): void {
  const fd = openSync(path, "r");
  try {
    const chunk = Buffer.alloc(1024 * 1024);
    let rest: Buffer = Buffer.alloc(0);
    for (let got = readSync(fd, chunk); got > 0; got = readSync(fd, chunk)) {
      const bytes = Buffer.concat([rest, chunk.subarray(0, got)]);
      let start = 0;
      for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
        each(bytes.subarray(start, end));
        start = end + 1;
      }
      rest = bytes.subarray(start);
    }
    // A file that is being written ends in an entry, without a newline.
    if (rest.length > 0) each(rest);
  } finally {
    closeSync(fd);
  }
}
