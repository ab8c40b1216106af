import { operationFailed } from "../system/errors.ts";
import { forEachLine } from "../system/lines.ts";
import { formatObjects } from "../system/units.ts";
import { type ListingEntry, parseListingLine } from "./listing.ts";

/**
 * Calls `each` for every entry, directories among them, of a stream of `rclone lsjson`, which is one JSON array.
 * Throws operation failed when the stream ends before its closing bracket or holds anything else.
 */
export async function forEachEntry(
  stream: AsyncIterable<Uint8Array>,
  each: (entry: ListingEntry) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  const position: { at: "before" | "inside" | "after" } = { at: "before" };
  let entries = 0;
  const endedEarly = () =>
    operationFailed(`the listing ended early, after ${formatObjects(entries)}: no closing bracket`);
  await forEachLine(stream, (line) => {
    const text = decoder.decode(line.bytes);
    if (!line.terminated && text.trim() !== "]") throw endedEarly();
    const parsed = parseListingLine(text);
    if (parsed.kind === "blank") return;
    if (position.at !== (parsed.kind === "open" ? "before" : "inside")) {
      throw operationFailed(`the listing is not one JSON array: unexpected line ${line.number}`);
    }
    if (parsed.kind === "open") position.at = "inside";
    else if (parsed.kind === "close") position.at = "after";
    else {
      each(parsed.entry);
      entries++;
    }
  });
  if (position.at !== "after") throw endedEarly();
}
