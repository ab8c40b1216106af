import * as v from "valibot";
import { operationFailed } from "../system/errors.ts";

/** One entry of `rclone lsjson`: https://rclone.org/commands/rclone_lsjson/ */
const entrySchema = v.object({
  Path: v.string(),
  Size: v.number(),
  ModTime: v.optional(v.string()),
  IsDir: v.optional(v.boolean()),
  Hashes: v.optional(v.record(v.string(), v.string())),
  Tier: v.optional(v.string()),
});

export type ListingEntry = v.InferOutput<typeof entrySchema>;

/**
 * Whether an object is a directory marker, as S3 consoles make them: its key ends in a slash, or is the root itself. rclone
 * takes such a key for a directory's. It copies no directory marker, and lists only those that have content.
 */
export function isMarker({ Path }: Pick<ListingEntry, "Path">): boolean {
  return Path === "" || Path.endsWith("/");
}

/** A line of lsjson's output: `[`, then one object a line, then `]`. */
export type ListingLine =
  | { kind: "open" }
  | { kind: "close" }
  | { kind: "blank" }
  | { kind: "entry"; entry: ListingEntry };

/** Fast path for the usual entry, which needs no schema. Any other entry is checked by the schema. */
function isPlainEntry(value: unknown): value is ListingEntry {
  if (typeof value !== "object" || value === null) return false;
  const { Path, Size, ModTime, IsDir, Hashes, Tier }: { [name in keyof ListingEntry]?: unknown } = value;
  return (
    typeof Path === "string" &&
    typeof Size === "number" &&
    typeof ModTime === "string" &&
    typeof IsDir === "boolean" &&
    (Tier === undefined || typeof Tier === "string") &&
    (Hashes === undefined || isMd5Alone(Hashes))
  );
}

function isMd5Alone(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { md5, ...others }: { md5?: unknown } = value;
  return typeof md5 === "string" && Object.keys(others).length === 0;
}

/** Reads one line of lsjson's output. Throws operation failed, quoting the line, for one of another form. */
export function parseListingLine(text: string): ListingLine {
  const line = text.trim();
  if (line === "") return { kind: "blank" };
  if (line === "[") return { kind: "open" };
  if (line === "]") return { kind: "close" };
  try {
    return { kind: "entry", entry: entryOf(line.endsWith(",") ? line.slice(0, -1) : line) };
  } catch (error) {
    const what = `the listing has a line that rclone lsjson does not print: ${line.slice(0, 200)}`;
    throw operationFailed(what, { cause: error });
  }
}

/** Reads an entry of a listing, in any layout. Throws operation failed, quoting the text, when it is no entry. */
export function parseEntry(text: string): ListingEntry {
  try {
    return entryOf(text);
  } catch (error) {
    const what = `the listing has an entry that rclone lsjson does not print: ${text.slice(0, 200)}`;
    throw operationFailed(what, { cause: error });
  }
}

function entryOf(json: string): ListingEntry {
  const value: unknown = JSON.parse(json);
  return isPlainEntry(value) ? value : v.parse(entrySchema, value);
}

/** How much has been listed. */
export interface ListingTotals {
  objects: number;
  bytes: number;
}
