import { AtomicFile, removeIfAny, replaceFile } from "../system/durable.ts";
import { operationFailed } from "../system/errors.ts";
import { forEachLine } from "../system/lines.ts";
import { formatObjects } from "../system/units.ts";
import { type ManifestOrigin, parseListingLine, recordOfEntry } from "./listing.ts";
import { formatRecord } from "./record.ts";

/** How often the progress sidecar is rewritten, at most. */
const progressIntervalMs = 1_000;

/** What has been listed so far. */
export interface ListingTotals {
  objects: number;
  bytes: number;
}

/** A manifest that is complete but does not have its name yet. */
export interface PendingManifest {
  totals: ListingTotals;
  /** Gives the manifest its name; call it only when the lister has ended well. */
  commit(): void;
  abort(): void;
}

/** The path of the progress sidecar of a manifest. */
function progressPath(manifestPath: string): string {
  return `${manifestPath}.progress`;
}

/**
 * Streams the output of `rclone lsjson` into a manifest that is yet to be committed; memory does not grow with it.
 * Throws, leaving no manifest, when the stream ends before its closing bracket or holds anything unexpected.
 */
export async function writeListing(options: {
  stream: AsyncIterable<Uint8Array>;
  manifestPath: string;
  origin: ManifestOrigin;
  onProgress: (totals: ListingTotals) => void;
}): Promise<PendingManifest> {
  const { manifestPath, origin, onProgress } = options;
  const file = new AtomicFile(manifestPath);
  const totals: ListingTotals = { objects: 0, bytes: 0 };
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const position: { at: "before" | "inside" | "after" } = { at: "before" };
  let reportedAt = Date.now();
  const report = () => {
    const sidecar = { files_listed: totals.objects, bytes_listed: totals.bytes };
    replaceFile(progressPath(manifestPath), `${JSON.stringify(sidecar)}\n`);
    onProgress(totals);
  };
  try {
    report();
    const endedEarly = () =>
      operationFailed(`the listing ended early, after ${formatObjects(totals.objects)}: no closing bracket`);
    await forEachLine(options.stream, (line) => {
      const text = decoder.decode(line.bytes);
      if (!line.terminated && text.trim() !== "]") throw endedEarly();
      const parsed = parseListingLine(text);
      if (parsed.kind === "blank") return;
      if (position.at !== (parsed.kind === "open" ? "before" : "inside")) {
        throw operationFailed(`the listing is not one JSON array: unexpected line ${line.number}`);
      }
      if (parsed.kind === "open") position.at = "inside";
      else if (parsed.kind === "close") position.at = "after";
      else if (!parsed.entry.IsDir) {
        file.write(encoder.encode(`${formatRecord(recordOfEntry(parsed.entry, origin))}\n`));
        totals.objects++;
        totals.bytes += parsed.entry.Size;
        if (totals.objects % 1000 === 0 && Date.now() - reportedAt >= progressIntervalMs) {
          reportedAt = Date.now();
          report();
        }
      }
    });
    if (position.at !== "after") throw endedEarly();
    report();
  } catch (error) {
    file.abort();
    removeIfAny(progressPath(manifestPath));
    throw error;
  }
  return {
    totals,
    commit: () => file.commit(),
    abort: () => {
      file.abort();
      removeIfAny(progressPath(manifestPath));
    },
  };
}
