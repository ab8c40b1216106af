import { operationFailed } from "../system/errors.ts";
import { forEachTextLine } from "../system/lines.ts";
import { ArrayPosition } from "./array-position.ts";
import { type ListingEntry, parseListingLine } from "./entry.ts";
import { directoryNotFoundCode } from "./lister-output.ts";

/**
 * One command that runs several listings one after the other, for one start of a container. The words of all listings follow
 * the script, which refers to them only by their numbers. Each listing is followed by a line with its exit code. The first
 * listing that fails ends the command, unless its directory does not exist.
 */
export function listingsInOne(argvs: readonly (readonly string[])[]): string[] {
  const words: string[] = [];
  const steps = argvs.map((argv) => {
    const numbers = argv.map((word) => `"\${${words.push(word)}}"`);
    return `${numbers.join(" ")}; c=$?; echo "exit $c"; case $c in 0|${directoryNotFoundCode}) ;; *) exit $c;; esac`;
  });
  return ["sh", "-c", steps.join("\n"), "sh", ...words];
}

/**
 * Reads the output of a command of `listingsInOne`, and calls `each` for every entry with the number of its listing, from 0.
 * Throws operation failed unless each listing is whole, or found no directory and listed nothing.
 */
export async function forEachEntryOf(
  listings: number,
  stream: AsyncIterable<Uint8Array>,
  each: (entry: ListingEntry, listing: number) => void,
): Promise<void> {
  let listing = 0;
  let entries = 0;
  let position = new ArrayPosition();
  const next = (code: number) => {
    const isAbsent = code === directoryNotFoundCode && !position.isClosed && entries === 0;
    if (!isAbsent && (code !== 0 || !position.isClosed)) {
      throw operationFailed(`a listing ended early, after ${entries} objects, with exit code ${code}`);
    }
    listing++;
    entries = 0;
    position = new ArrayPosition();
  };
  await forEachTextLine(stream, (text) => {
    const code = /^exit (\d+)$/.exec(text)?.[1];
    if (code !== undefined) return next(Number(code));
    const line = parseListingLine(text);
    if (line.kind === "blank") return;
    if (!position.takes(line.kind) || listing >= listings) {
      throw operationFailed(`the listing is not one JSON array: ${text.slice(0, 200)}`);
    }
    if (line.kind !== "entry") return;
    entries++;
    each(line.entry, listing);
  });
  if (listing !== listings) throw operationFailed(`only ${listing} of ${listings} listings ended`);
}
