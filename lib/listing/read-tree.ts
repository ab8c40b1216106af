import { operationFailed } from "../system/errors.ts";
import { forEachLine } from "../system/lines.ts";
import { ArrayPosition } from "./array-position.ts";
import { parseListingLine } from "./entry.ts";
import type { TreeParts } from "./tree-parts.ts";

const openBrace = 0x7b;

/** Thrown to end the reading of a listing whose rest other listings list. */
class Over extends Error {}

/**
 * Reads a stream of `rclone lsjson --recursive --files-only` into parts, and calls `onEntry` with each entry's line. `closed`
 * tells whether the closing bracket was read. `isOver` tells that the stream came to a prefix of another listing, and was not
 * read to its end.
 */
export async function readTree(
  stream: AsyncIterable<Uint8Array>,
  parts: TreeParts,
  onEntry: (line: Uint8Array) => void,
): Promise<{ closed: boolean; isOver: boolean }> {
  const position = new ArrayPosition();
  try {
    await forEachLine(stream, ({ bytes, number, terminated }) => {
      const isEntry = bytes[0] === openBrace && position.isInside;
      // An entry that is cut off is no JSON, and throws here.
      if (isEntry && !terminated) parseListingLine(new TextDecoder().decode(bytes));
      if (isEntry) {
        if (!parts.take(bytes)) throw new Over();
        return onEntry(bytes);
      }
      const line = parseListingLine(new TextDecoder().decode(bytes));
      if (line.kind === "entry" || !position.takes(line.kind)) {
        throw operationFailed(`the listing is not one JSON array: unexpected line ${number}`);
      }
    });
  } catch (error) {
    if (error instanceof Over) return { closed: false, isOver: true };
    throw error;
  }
  return { closed: position.isClosed, isOver: false };
}
