import type { ListingTotals } from "../listing/entry.ts";
import { findFirstDuplicate } from "../manifest/distinct-keys.ts";
import type { Untransferable } from "../manifest/untransferable.ts";
import { forEachCsvRow } from "../system/csv.ts";
import { invalidInput, messageOf, XferError } from "../system/errors.ts";
import { inputChunks, inputName } from "../system/input.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import type { ManifestOrigin } from "./record-lines.ts";
import type { RowReader } from "./row-formats.ts";
import { type Addressability, type Markers, PendingManifest } from "./write.ts";

/** A file of rows to import. */
export interface ImportOptions extends ManifestOrigin {
  /** A CSV file, which gzip may have packed; "-" for stdin. */
  input: string;
  out: string;
  readRow: RowReader;
  addressability: Addressability;
  /** Advice for a user who has a key in two rows. */
  onDuplicate: string;
  stop: AbortSignal;
  onProgress: (totals: ListingTotals) => void;
}

/** How much is in the manifest, and how many rows were left out, by the reason. */
export interface ImportResult extends ListingTotals {
  leftOut: Map<string, number>;
  markers: Markers;
  untransferable: Untransferable;
}

/**
 * Makes a manifest of the rows of a CSV file, in their order, in memory that does not grow with them. Throws invalid input,
 * naming file and line, for the first bad row and for a key that is in two rows, and when no object is left. There is no
 * manifest then.
 */
export async function importRows(options: ImportOptions): Promise<ImportResult> {
  const { input, readRow } = options;
  const name = inputName(input);
  const leftOut = new Map<string, number>();
  const pending = PendingManifest.begin({
    manifestPath: options.out,
    origin: options,
    addressability: options.addressability,
    onProgress: options.onProgress,
  });
  await pending.filledBy(
    forEachCsvRow(inputChunks(input, options.stop), name, (fields, line) => {
      throwIfStopped(options.stop, "no manifest was written");
      const row = readRow(fields);
      if (row.kind === "bad") throw invalidInput(`${name}:${line}: ${row.what}`);
      if (row.kind === "left-out") leftOut.set(row.why, (leftOut.get(row.why) ?? 0) + 1);
      else named(`${name}:${line}`, () => pending.take(row.entry));
    }),
  );
  await pending.orAbort(checkRows(options, pending));
  pending.commit();
  const { totals, markers, untransferable } = pending;
  return { ...totals, leftOut, markers, untransferable };
}

/** Throws invalid input when there is no object, or when two rows have one key, which it names. */
async function checkRows(options: ImportOptions, pending: PendingManifest): Promise<void> {
  const name = inputName(options.input);
  if (pending.totals.objects === 0) {
    const [first] = pending.untransferable.examples;
    throw invalidInput(
      first
        ? `${name}: no object in it can be transferred: ${first.key}: ${first.reason}`
        : `${name}: no object in it that is below ${options.sourceRoot}`,
    );
  }
  const twice = await findFirstDuplicate(pending.written(), { stop: options.stop });
  if (!twice) return;
  const { key, line, again } = twice;
  const what = `${key}: ${options.onDuplicate}`;
  const [first, second] = await linesOf(options, key);
  throw second === undefined
    ? invalidInput(`${name}: object ${again} of those in it has the key of object ${line}: ${what}`)
    : invalidInput(`${name}:${second}: the key is in line ${first} already: ${what}`);
}

/** The lines of the first two rows that have a key; none for stdin, which can be read only once. */
async function linesOf({ input, readRow }: ImportOptions, key: string): Promise<number[]> {
  const lines: number[] = [];
  if (input === "-") return lines;
  await forEachCsvRow(inputChunks(input), inputName(input), (fields, line) => {
    const row = readRow(fields);
    if (lines.length < 2 && row.kind === "object" && row.entry.Path.toWellFormed() === key) lines.push(line);
  });
  return lines;
}

/** Runs `work`, and adds `where` to the message of an expected failure. */
function named(where: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw error instanceof XferError
      ? invalidInput(`${where}: ${messageOf(error)}`, { cause: error })
      : error;
  }
}
