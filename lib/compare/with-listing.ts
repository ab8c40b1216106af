import type { ListingEntry } from "../listing/entry.ts";
import { keyText, lineOf, type RecordBatch, recordOfRow } from "../manifest/batch.ts";
import { duplicateKeyError } from "../manifest/distinct-keys.ts";
import { forEachBatch } from "../manifest/read.ts";
import type { ManifestRecord } from "../manifest/record.ts";
import { invalidInput } from "../system/errors.ts";
import { type CompareWish, ManifestComparison, type Outcome } from "./comparison.ts";

/** The caller's part in comparing a manifest with a listing. */
interface CompareSteps<E> {
  /** Called now and then with the number of records read so far. It stops the reading by throwing. */
  onRecords?: (records: number) => void;
  /** Called before anything is listed. It throws when the records are not of the roots that are to be compared. */
  checkRoots: (roots: Pick<ManifestRecord, "source_root" | "dest_root">) => void;
  /** Lists, and gives each listed object to `take`, which tells whether the manifest has its key. */
  list: (take: (entry: ListingEntry) => boolean) => Promise<E>;
}

/** A manifest whose records have been compared with a listing. */
export interface ListedManifest<E> {
  /** How the listing ended. */
  end: E;
  /** How many listed objects have a key that the manifest does not have. */
  extra: number;
  /** Whether the listing has the record with this index with a modification time that is clearly another. */
  hasOtherTime(index: number): boolean;
  /**
   * Reads the manifest again, in order, and calls `each` with what the listing says of each record. Throws invalid input
   * when the manifest is not the one that was compared.
   */
  forEachOutcome(each: EachOutcome): Promise<void>;
}

type EachOutcome = (outcome: Outcome, record: OutcomeRow, index: number) => void;

/**
 * Compares a manifest with a listing: reads the records, checks their roots, lists, and gives the outcomes. Undefined when
 * the manifest has no record; nothing is listed then.
 * Throws invalid input, naming file and line, for a bad record, for other roots than line 1's, and for a key that is
 * there twice: a listing could not tell which of the two it holds.
 */
export async function compareWithListing<E>(
  manifestPath: string,
  wish: CompareWish,
  { onRecords, checkRoots, list }: CompareSteps<E>,
): Promise<ListedManifest<E> | undefined> {
  const comparison = new ManifestComparison(wish);
  const first = await readRecords(manifestPath, wish, comparison, onRecords);
  if (!first) return undefined;
  checkRoots(first);
  const end = await list((entry) => comparison.addListed(entry));
  return {
    end,
    extra: comparison.extra,
    hasOtherTime: (index) => comparison.hasOtherTime(index),
    forEachOutcome: (each) => forEachOutcome(manifestPath, comparison, each),
  };
}

/** Adds the records of a manifest to a comparison, and returns the first of them. */
function readRecords(
  manifestPath: string,
  wish: CompareWish,
  comparison: ManifestComparison,
  onRecords: (records: number) => void = () => {},
): Promise<ManifestRecord | undefined> {
  const needsRecord = wish.hashes || wish.times;
  return forEachBatch(manifestPath, (batch) => {
    for (let row = 0; row < batch.count; row++) {
      const earlier = needsRecord
        ? comparison.addRecord(recordOfRow(batch, row))
        : comparison.addSized(keyText(batch, row), batch.size[row] as number);
      if (earlier !== undefined) {
        const key = keyText(batch, row);
        throw duplicateKeyError(manifestPath, { key, line: earlier + 1, again: batch.firstLine + row });
      }
      if (comparison.records % 1000 === 0) onRecords(comparison.records);
    }
  });
}

async function forEachOutcome(
  manifestPath: string,
  comparison: ManifestComparison,
  each: EachOutcome,
): Promise<void> {
  let index = 0;
  await forEachBatch(manifestPath, (batch) => {
    const record = new BatchRow(batch);
    for (; record.row < batch.count; record.row++, index++) each(comparison.outcome(index), record, index);
  });
  if (index !== comparison.records) {
    throw invalidInput(`${manifestPath}: the manifest was changed while it was compared`);
  }
}

/** A record beside its outcome; valid until the callback returns. */
export interface OutcomeRow {
  readonly path: string;
  readonly size: number;
  /** Its line, the newline included. */
  readonly line: Uint8Array;
}

/** Reads a field of its record only when asked for it: most outcomes only raise a counter. */
class BatchRow implements OutcomeRow {
  readonly #batch: RecordBatch;
  row = 0;

  constructor(batch: RecordBatch) {
    this.#batch = batch;
  }

  get path(): string {
    return keyText(this.#batch, this.row);
  }

  get size(): number {
    return this.#batch.size[this.row] as number;
  }

  get line(): Uint8Array {
    return lineOf(this.#batch, this.row);
  }
}
