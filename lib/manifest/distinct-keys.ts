import { dirname, join } from "node:path";
import { invalidInput, operationFailed, type XferError } from "../system/errors.ts";
import { inputName } from "../system/input.ts";
import { breathe } from "../system/interrupt.ts";
import { formatCount } from "../system/units.ts";
import { keyText, type RecordBatch } from "./batch.ts";
import { HashPartitions, type PartitionLimits, type RepeatedHash } from "./hash-partitions.ts";
import { KeyHash } from "./key-hash.ts";
import { KeyOrder } from "./key-order.ts";
import { forEachBatch } from "./read.ts";

/** The most hashes whose keys are compared in one reading. */
const suspectsMax = 10_000;
/** After this many parts of hashes the event loop gets a turn. */
const partsPerTurn = 64;
/** The most lines of repeated keys that are remembered, beside the first two of each key. */
const moreLinesMax = 10_000;

/** Hashes keys. After `ofRow`, `low` and `high` are the hash of that row's key. */
interface RowHash {
  readonly low: number;
  readonly high: number;
  ofRow(batch: RecordBatch, row: number): void;
}

/** Reads again, in the same order, the batches that were added. `each` throws to end the reading early. */
type Reader = (each: (batch: RecordBatch) => void) => Promise<unknown>;

/** Keys that are in a manifest more than once. */
export interface DuplicateKeys {
  /** The lines of each key, from 1 and ascending: the first two at least. */
  lines: ReadonlyMap<string, readonly number[]>;
  /** Whether there are more keys or lines than these: the search ended early. */
  isPart: boolean;
}

/** The hash and the memory, which tests choose: a hash that collides, and little memory. */
interface DistinctKeysChoice {
  hash?: RowHash;
  limits?: PartitionLimits;
}

/**
 * Finds the keys that a manifest has more than once, exactly, in memory that does not grow with it.
 *
 * | the records so far | the next record |
 * |---|---|
 * | their order proves the keys distinct (`KeyOrder`) | its key is compared with the one before |
 * | otherwise | its key is hashed; equal hashes are looked for at the end |
 *
 * At the end, if any key was hashed, the records before it are read again and hashed too. Keys whose hashes are equal are
 * read and compared. A collision of two keys is no duplicate, and costs one more reading. Nothing is allocated for a record
 * whose key has no escape.
 */
export class DistinctKeys implements Disposable {
  readonly #beside: string;
  readonly #limits: PartitionLimits | undefined;
  readonly #hash: RowHash;
  #order: KeyOrder | undefined = new KeyOrder();
  #partitions: HashPartitions | undefined;
  #records = 0;
  /** How many records at the beginning were not hashed. */
  #ordered = 0;

  /** If a temporary file is needed, it is made in `folder`. It has no name and is gone with the process. */
  constructor(folder: string, choice: DistinctKeysChoice = {}) {
    this.#beside = join(folder, ".xfer-keys");
    this.#limits = choice.limits;
    this.#hash = choice.hash ?? new KeyHash();
  }

  /** Takes the next records of the manifest. */
  add(batch: RecordBatch): void {
    const { count } = batch;
    const proven = this.#order === undefined ? 0 : this.#order.prove(batch);
    if (proven < count) {
      if (this.#order) this.#ordered = this.#records + proven;
      this.#order = undefined;
      this.#hashRows(batch, proven, count);
    }
    this.#records += count;
  }

  #hashRows(batch: RecordBatch, from: number, to: number): void {
    this.#partitions ??= new HashPartitions(this.#beside, this.#limits);
    const hash = this.#hash;
    for (let row = from; row < to; row++) {
      hash.ofRow(batch, row);
      this.#partitions.add(hash.low, hash.high);
    }
  }

  /** Whether the order has proven all keys distinct: `duplicates` then reads nothing. */
  get isProven(): boolean {
    return this.#order !== undefined;
  }

  /** The keys that are there more than once. `read` gives all batches again, where they are needed. */
  async duplicates(read: Reader, stop?: AbortSignal): Promise<DuplicateKeys> {
    if (this.isProven) return { lines: new Map(), isPart: false };
    await forEachRowUpTo(read, this.#ordered, (batch, _first, rows) => this.#hashRows(batch, 0, rows));
    let suspects = new Map<string, RepeatedHash>();
    let parts = 0;
    for (const repeated of this.#partitions?.repeated() ?? []) {
      if (++parts % partsPerTurn === 0)
        await breathe(stop, "nothing was written; run the same command again");
      for (const hash of repeated) suspects.set(`${hash.low}:${hash.high}`, hash);
      if (suspects.size < suspectsMax) continue;
      const found = await this.#resolve(suspects, read);
      if (found.lines.size > 0) return { ...found, isPart: true };
      suspects = new Map();
    }
    return suspects.size === 0 ? { lines: new Map(), isPart: false } : this.#resolve(suspects, read);
  }

  /** Reads the keys that have one of these hashes, and returns those that are equal. */
  async #resolve(suspects: ReadonlyMap<string, RepeatedHash>, read: Reader): Promise<DuplicateKeys> {
    const lows = new Set([...suspects.values()].map(({ low }) => low));
    const hash = this.#hash;
    const lines = new Map<string, number[]>();
    let more = 0;
    await forEachRowUpTo(read, this.#records, (batch, first, rows) => {
      for (let row = 0; row < rows; row++) {
        hash.ofRow(batch, row);
        if (!lows.has(hash.low) || !suspects.has(`${hash.low}:${hash.high}`)) continue;
        // As the key is in UTF-8, which has no half of a surrogate pair.
        const key = keyText(batch, row).toWellFormed();
        const known = lines.get(key);
        if (known === undefined) lines.set(key, [first + row]);
        else if (known.length < 2 || more++ < moreLinesMax) known.push(first + row);
      }
    });
    for (const [key, { length }] of lines) {
      if (length < 2) lines.delete(key);
    }
    return { lines, isPart: more > moreLinesMax };
  }

  [Symbol.dispose](): void {
    this.#partitions?.[Symbol.dispose]();
  }
}

class ReadEnough extends Error {}

/**
 * Calls `each` with the batches of the first `records` records, the line of each batch's first row, and how many of its rows
 * belong to these records.
 */
async function forEachRowUpTo(
  read: Reader,
  records: number,
  each: (batch: RecordBatch, firstLine: number, rows: number) => void,
): Promise<void> {
  if (records === 0) return;
  let before = 0;
  try {
    await read((batch) => {
      const rows = Math.min(batch.count, records - before);
      each(batch, before + 1, rows);
      before += rows;
      if (before === records) throw new ReadEnough();
    });
  } catch (error) {
    if (!(error instanceof ReadEnough)) throw error;
  }
  if (before < records) throw operationFailed("the manifest was changed while its keys were compared");
}

/**
 * The keys that a manifest on disk has more than once, each with all its lines. Nearly every manifest has none. Throws
 * operation failed when there are more than 10,000, since the whole listing is then wrong.
 */
export async function findDuplicateKeys(
  manifestPath: string,
  stop?: AbortSignal,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const { lines, isPart } = await duplicatesOf(manifestPath, dirname(manifestPath), stop);
  if (lines.size <= suspectsMax && !isPart) return lines;
  const [key] = lines.keys();
  throw operationFailed(
    `more than ${formatCount(suspectsMax)} keys are listed more than once, such as ${key}: one object is in several places of the listing`,
  );
}

/** Of the keys that a manifest has twice, the one whose second line comes first; undefined when there is none. */
export async function findFirstDuplicate(
  manifestPath: string,
  { folder = dirname(manifestPath), stop }: { folder?: string; stop?: AbortSignal } = {},
): Promise<DuplicateKey | undefined> {
  return firstDuplicate(await duplicatesOf(manifestPath, folder, stop));
}

async function duplicatesOf(
  manifestPath: string,
  folder: string,
  stop: AbortSignal | undefined,
): Promise<DuplicateKeys> {
  using distinct = new DistinctKeys(folder);
  await forEachBatch(manifestPath, (batch) => distinct.add(batch), { stop });
  return await distinct.duplicates((each) => forEachBatch(manifestPath, each, { stop }), stop);
}

/** A key that is there twice: its first line, and the line of its repetition. */
export interface DuplicateKey {
  key: string;
  line: number;
  again: number;
}

/** Of keys that are there twice the one whose second line comes first; undefined when there is none. */
export function firstDuplicate({ lines }: DuplicateKeys): DuplicateKey | undefined {
  let first: DuplicateKey | undefined;
  for (const [key, [line, again]] of lines) {
    if (line === undefined || again === undefined) continue;
    if (first === undefined || again < first.again) first = { key, line, again };
  }
  return first;
}

/** The error of a manifest that has a key in two lines. */
export function duplicateKeyError(name: string, { key, line, again }: DuplicateKey): XferError {
  return invalidInput(
    `${inputName(name)}:${again}: the key is in line ${line} already: ${key}: ` +
      "of one object there may be one record only: remove the other",
  );
}
