import type { ListingTotals } from "../../lib/listing/entry.ts";
import { formatBytes, formatCount, formatObjects } from "../../lib/system/units.ts";
import { printJson, printText } from "./print.ts";

/** What a new manifest holds, and what the list beside it names. */
interface Built extends ListingTotals {
  untransferable: ListingTotals;
}

/** What a new manifest holds, in one line. */
export function builtText(out: string, { objects, bytes }: ListingTotals): string {
  return `${out}: ${formatObjects(objects)}, ${formatBytes(bytes)}\n`;
}

/** What a new manifest holds, schema xfer.build.v1. */
export function builtJson(out: string, runId: string, { objects, bytes, untransferable }: Built) {
  const named = { objects: untransferable.objects, bytes: untransferable.bytes };
  return {
    schema: "xfer.build.v1",
    manifest: out,
    run_id: runId,
    objects,
    bytes,
    untransferable: named,
  } as const;
}

/** Prints what a new manifest holds. */
export async function printBuilt(
  { out, json }: { out: string; json: boolean },
  runId: string,
  built: Built,
): Promise<void> {
  if (json) await printJson(builtJson(out, runId, built));
  else await printText(builtText(out, built));
}

/** How many rows of an import are not in the manifest for a reason. */
export function leftOutText(why: string, rows: number): string {
  return `left out: ${formatCount(rows)} ${why}`;
}

/** Progress of a listing in one line. */
export function listingText(totals: ListingTotals): string {
  return `listing: ${formatObjects(totals.objects)}, ${formatBytes(totals.bytes)}`;
}
