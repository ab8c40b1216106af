import { operationFailed } from "../system/errors.ts";
import { forEachTextLine } from "../system/lines.ts";
import { formatObjects } from "../system/units.ts";
import { ArrayPosition } from "./array-position.ts";
import { type ListingEntry, parseListingLine } from "./entry.ts";

/**
 * Calls `each` for every entry, directories included, of a stream of `rclone lsjson`, which is one JSON array. Returns whether
 * the closing bracket was read: rclone 1.60 leaves it out when it could not list a folder. Throws operation failed for
 * anything else in the stream, and for a missing bracket unless `mayStayOpen`.
 */
export async function forEachEntry(
  stream: AsyncIterable<Uint8Array>,
  each: (entry: ListingEntry) => void,
  { mayStayOpen = false }: { mayStayOpen?: boolean } = {},
): Promise<boolean> {
  const position = new ArrayPosition();
  let entries = 0;
  const endedEarly = () =>
    operationFailed(`the listing ended early, after ${formatObjects(entries)}: no closing bracket`);
  await forEachTextLine(stream, (line, number, terminated) => {
    if (!terminated && line.trim() !== "]" && !mayStayOpen) throw endedEarly();
    const parsed = parseListingLine(line);
    if (!position.takes(parsed.kind)) {
      throw operationFailed(`the listing is not one JSON array: unexpected line ${number}`);
    }
    if (parsed.kind !== "entry") return;
    each(parsed.entry);
    entries++;
  });
  if (!position.isClosed && !mayStayOpen) throw endedEarly();
  return position.isClosed;
}

const sizeField = Buffer.from('"Size":');

/** The size in an entry's line. `"Size":` is found by its quotes, which would be escaped inside a JSON string. */
export function sizeOf(line: Uint8Array): number {
  const at = Buffer.from(line.buffer, line.byteOffset, line.length).indexOf(sizeField);
  let size = 0;
  for (let i = at + sizeField.length; at >= 0; i++) {
    const digit = (line[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    size = size * 10 + digit;
  }
  return size;
}
