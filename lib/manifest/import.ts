import { forEachCsvRow } from "../system/csv.ts";
import { invalidInput, messageOf, XferError } from "../system/errors.ts";
import { inputChunks, inputName } from "../system/input.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import type { RowReader } from "./import-rows.ts";
import type { ManifestOrigin } from "./listing.ts";
import type { Untransferable } from "./untransferable.ts";
import { type Addressability, type ListingTotals, type Markers, writeManifest } from "./write-listing.ts";

/** What an import of rows is asked to do. */
export interface ImportOptions extends ManifestOrigin {
  /** A CSV file, packed by gzip or not; "-" for stdin. */
  input: string;
  out: string;
  readRow: RowReader;
  addressability: Addressability;
  stop: AbortSignal;
  onProgress: (totals: ListingTotals) => void;
}

/** What was imported, and how many rows were left out for which reason. */
export interface ImportResult extends ListingTotals {
  leftOut: Map<string, number>;
  markers: Markers;
  untransferable: Untransferable;
}

/**
 * Makes a manifest of the rows of a CSV file, in their order, streaming.
 * Throws invalid input that names file and line, leaving no manifest, for the first bad row, and when no object is left.
 */
export async function importRows(options: ImportOptions): Promise<ImportResult> {
  const { input, readRow } = options;
  const name = inputName(input);
  const leftOut = new Map<string, number>();
  const pending = await writeManifest({
    source: (each) =>
      forEachCsvRow(inputChunks(input), name, (fields, line) => {
        throwIfStopped(options.stop, "no manifest was written");
        const row = readRow(fields);
        if (row.kind === "bad") throw invalidInput(`${name}:${line}: ${row.what}`);
        if (row.kind === "left-out") leftOut.set(row.why, (leftOut.get(row.why) ?? 0) + 1);
        else named(`${name}:${line}`, () => each(row.entry));
      }),
    manifestPath: options.out,
    origin: options,
    addressability: options.addressability,
    onProgress: options.onProgress,
  });
  if (pending.totals.objects === 0) {
    const [first] = pending.untransferable.examples;
    pending.abort();
    throw invalidInput(
      first
        ? `${name}: no object in it can be transferred: ${first.key}: ${first.reason}`
        : `${name}: no object in it that is below ${options.sourceRoot}`,
    );
  }
  pending.commit();
  const { totals, markers, untransferable } = pending;
  return { ...totals, leftOut, markers, untransferable };
}

/** Runs `work`, naming `where` in an expected failure. */
function named(where: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw error instanceof XferError ? invalidInput(`${where}: ${messageOf(error)}`) : error;
  }
}
