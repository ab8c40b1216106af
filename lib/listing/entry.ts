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
 * copies none of them, since it takes such a key for a directory's, and lists only those that have content.
 */
export function isMarker({ Path }: Pick<ListingEntry, "Path">): boolean {
  return Path === "" || Path.endsWith("/");
}

/** What one line of lsjson's output is: it prints `[`, then one object a line, then `]`. */
export type ListingLine =
  | { kind: "open" }
  | { kind: "close" }
  | { kind: "blank" }
  | { kind: "entry"; entry: ListingEntry };

/** Whether the schema takes this as it is; so it is with nearly all entries, and the schema takes longer to say so. */
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

/** Reads one line of lsjson's output. Throws, quoting the line, when it is none of the known forms. */
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

/** Reads an entry of a listing, however it is laid out. Throws operation failed, quoting it, when it is none. */
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

/** What has been listed so far. */
export interface ListingTotals {
  objects: number;
  bytes: number;
}
