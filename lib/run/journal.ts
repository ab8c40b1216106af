import { closeSync, ftruncateSync, openSync, readSync } from "node:fs";
import { syncFile, writeFully } from "../system/durable.ts";
import { errnoOf } from "../system/errors.ts";
import { writing } from "../system/write-error.ts";
import { type Roots, requireSameRoots } from "./roots.ts";

/** How a record was proven: rclone copied it, or it was found identical at the destination. */
export type Proof = "copied" | "unchanged";

const letters: Record<Proof, string> = { copied: "c", unchanged: "u" };
const copiedLetter = 0x63;
const unchangedLetter = 0x75;
const settledLetter = 0x73;
const newline = 0x0a;
/** The most digits of a number: of a record's index in its shard, or of a length in bytes. */
const digitsMax = 10;
/** A letter, a number and a newline. */
const entryBytesMax = digitsMax + 2;
/** Bytes of a journal that are read at a time. */
const blockBytes = 64 * 1024;

/** The proofs of a shard's records, by their index in the shard. Each takes one byte: 10^6 records take 1 MB. */
export class ProofTable {
  readonly #codes: Uint8Array;
  #count = 0;

  constructor(records: number) {
    this.#codes = new Uint8Array(records);
  }

  /** How many records there are. */
  get size(): number {
    return this.#codes.length;
  }

  /** How many records are proven. */
  get count(): number {
    return this.#count;
  }

  get(index: number): Proof | undefined {
    const code = this.#codes[index];
    return code === 1 ? "copied" : code === 2 ? "unchanged" : undefined;
  }

  /** Notes a proof; false when the record has one already or is outside the shard. */
  add(index: number, proof: Proof): boolean {
    if (this.#codes[index] !== 0) return false;
    this.#codes[index] = proof === "copied" ? 1 : 2;
    this.#count++;
    return true;
  }
}

/** The proofs in a journal, and how much of it counts. */
export interface JournalContent {
  proofs: ProofTable;
  /** The length up to which the journal's lines are whole, and of this shard. */
  wholeBytes: number;
  /** The length up to which the journal proves data that a POSIX destination has on stable storage. */
  settledBytes: number;
}

/** The shard to which a journal belongs. */
export interface JournalShard {
  sha256: string;
  records: number;
  roots: Roots;
}

/** The beginning of a journal's first line, which binds its entries to the shard's content. */
function headerStart(sha256: string): string {
  return `xfer.journal.v1 ${sha256}`;
}

/** The first line of a journal. It names the roots too; an earlier build's first line ends after the digest. */
function headerOf({ sha256, roots }: JournalShard): string {
  return `${headerStart(sha256)} ${JSON.stringify([roots.source_root, roots.dest_root])}\n`;
}

/**
 * The length of a journal's first line, its newline included; 0 when it is not of this shard's content. Throws invalid input
 * when it is of this content for other roots.
 */
function headerLength(path: string, head: Buffer, shard: JournalShard): number {
  const end = head.indexOf(newline);
  const line = head.toString("utf8", 0, end + 1);
  if (line === headerOf(shard) || line === `${headerStart(shard.sha256)}\n`) return end + 1;
  if (!line.startsWith(`${headerStart(shard.sha256)} `)) return 0;
  const [source_root, dest_root] = parseRoots(line.slice(headerStart(shard.sha256).length));
  if (source_root === undefined || dest_root === undefined) return 0;
  requireSameRoots(
    { path, roots: { source_root, dest_root } },
    { path: "the shard", roots: shard.roots },
    "use a new run directory",
  );
  return 0;
}

function parseRoots(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((root) => typeof root === "string") ? value : [];
  } catch {
    return [];
  }
}

/**
 * Reads an open journal. A torn last line, and everything after a line that is no entry, does not count. A journal of another
 * shard's content, or without its first line, proves nothing.
 */
function parseJournal(path: string, fd: number, shard: JournalShard): JournalContent {
  const proofs = new ProofTable(shard.records);
  const block = Buffer.allocUnsafeSlow(blockBytes);
  let used = readSync(fd, block);
  const content: JournalContent = { proofs, wholeBytes: 0, settledBytes: 0 };
  const header = headerLength(path, block.subarray(0, used), shard);
  if (header === 0) return content;
  content.wholeBytes = header;
  content.settledBytes = header;
  for (let start = header; ; ) {
    for (let next = start; next !== -1; next = addEntry(block, start, used, content)) {
      content.wholeBytes += next - start;
      start = next;
    }
    // The rest may be the start of a line: it is looked at again with the bytes that follow.
    const left = used - start;
    block.copy(block, 0, start, used);
    const got = left < entryBytesMax ? readSync(fd, block, left, block.length - left, null) : 0;
    if (got === 0) return content;
    used = left + got;
    start = 0;
  }
}

/** Reads the line at `start`, a letter and a number. Returns where the next line starts; -1 for a line that is no entry. */
function addEntry(bytes: Buffer, start: number, used: number, content: JournalContent): number {
  const { proofs, wholeBytes } = content;
  const letter = bytes[start];
  let at = start + 1;
  let value = 0;
  for (; at <= start + digitsMax; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === start + 1 || at >= used || bytes[at] !== newline) return -1;
  if (letter === settledLetter) {
    if (value < content.settledBytes || value > wholeBytes) return -1;
    content.settledBytes = value === wholeBytes ? wholeBytes + at + 1 - start : value;
  } else {
    if ((letter !== copiedLetter && letter !== unchangedLetter) || value >= proofs.size) return -1;
    proofs.add(value, letter === copiedLetter ? "copied" : "unchanged");
  }
  return at + 1;
}

/** Reads a journal file. A missing file is an empty journal. */
export function readJournal(path: string, shard: JournalShard): JournalContent {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return { proofs: new ProofTable(shard.records), wholeBytes: 0, settledBytes: 0 };
  }
  try {
    return parseJournal(path, fd, shard);
  } finally {
    closeSync(fd);
  }
}

/**
 * The append-only journal of the proofs of one shard, whose agent is the only writer. A line "c1234" says that the record
 * with index 1234 was copied, and "u1234" that it was found identical. A line "s5678" says that a POSIX destination has on
 * stable storage all that the journal's first 5,678 bytes prove.
 */
export class Journal {
  readonly #path: string;
  readonly #shard: JournalShard;
  readonly #fd: number;
  #proofs: ProofTable;
  #bytes: number;
  #settledBytes: number;
  #pending = Buffer.allocUnsafeSlow(blockBytes);
  #pendingBytes = 0;

  /** Opens or begins the journal of a shard. Lines that do not count are cut off. */
  constructor(path: string, shard: JournalShard) {
    const { proofs, wholeBytes, settledBytes } = readJournal(path, shard);
    const header = Buffer.from(headerOf(shard));
    this.#path = path;
    this.#shard = shard;
    this.#proofs = proofs;
    this.#fd = writing(path, () => openSync(path, "a", 0o666));
    writing(path, () => ftruncateSync(this.#fd, wholeBytes));
    if (wholeBytes === 0) writeFully(this.#fd, header);
    this.#bytes = wholeBytes || header.length;
    this.#settledBytes = settledBytes || header.length;
  }

  get proofs(): ProofTable {
    return this.#proofs;
  }

  /** The length up to which all proofs are of data on stable storage. */
  get settledBytes(): number {
    return this.#settledBytes;
  }

  /** Notes a proof, which is in the file after the next `flush`; false when the record has one already. */
  add(index: number, proof: Proof): boolean {
    if (!this.#proofs.add(index, proof)) return false;
    this.#append(`${letters[proof]}${index}\n`);
    return true;
  }

  #append(line: string): void {
    if (this.#pendingBytes + line.length > this.#pending.length) {
      const larger = Buffer.allocUnsafeSlow(2 * this.#pending.length);
      this.#pending.copy(larger);
      this.#pending = larger;
    }
    this.#pendingBytes += this.#pending.write(line, this.#pendingBytes, "latin1");
  }

  /** Hands all notes to the kernel: they outlive this process, but not a power loss. Returns the journal's length. */
  flush(): number {
    const bytes = this.#pendingBytes;
    if (bytes > 0) {
      writeFully(this.#fd, this.#pending.subarray(0, bytes));
      this.#pendingBytes = 0;
      this.#bytes += bytes;
    }
    return this.#bytes;
  }

  /** Makes all notes durable. */
  sync(): void {
    this.flush();
    syncFile(this.#fd);
  }

  /** Notes durably that all that the journal's first `bytes` bytes prove is on stable storage. */
  settle(bytes: number): void {
    const isAll = bytes === this.flush();
    this.#append(`s${bytes}\n`);
    this.sync();
    this.#settledBytes = isAll ? this.#bytes : bytes;
  }

  /** Forgets all proofs since the last settling, in the file too. */
  dropUnsettled(): void {
    if (this.#pendingBytes === 0 && this.#bytes === this.#settledBytes) return;
    this.#pendingBytes = 0;
    if (this.#bytes !== this.#settledBytes) {
      ftruncateSync(this.#fd, this.#settledBytes);
      this.#bytes = this.#settledBytes;
      this.settle(this.#settledBytes);
    }
    this.#proofs = readJournal(this.#path, this.#shard).proofs;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
