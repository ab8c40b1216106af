import type { ListingTotals } from "../../lib/listing/entry.ts";
import { formatBytes, formatObjects } from "../../lib/system/units.ts";
import { printJson, printText } from "./print.ts";

/** Prints what a new manifest holds, and how much the list beside it names. */
export async function printBuilt(
  { out, json }: { out: string; json: boolean },
  runId: string,
  { objects, bytes, untransferable }: ListingTotals & { untransferable: ListingTotals },
): Promise<void> {
  if (json) {
    await printJson({
      ...{ schema: "xfer.build.v1", manifest: out, run_id: runId, objects, bytes },
      untransferable: { objects: untransferable.objects, bytes: untransferable.bytes },
    });
  } else await printText(`${out}: ${formatObjects(objects)}, ${formatBytes(bytes)}\n`);
}

/** Progress of a listing in one line. */
export function listingText(totals: ListingTotals): string {
  return `listing: ${formatObjects(totals.objects)}, ${formatBytes(totals.bytes)}`;
}
