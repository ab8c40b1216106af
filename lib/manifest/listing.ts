import * as v from "valibot";
import { joinRoot } from "../rclone/root.ts";
import { operationFailed } from "../system/errors.ts";
import { type ManifestRecord, manifestSchemaName } from "./record.ts";

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

/** What a manifest record is made of: rclone does not list ETags, but an inventory does. */
export interface ManifestEntry extends ListingEntry {
  ETag?: string;
}

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
  } catch {
    throw operationFailed(`the listing has a line that rclone lsjson does not print: ${line.slice(0, 200)}`);
  }
}

/** Reads an entry of a listing, however it is laid out. Throws operation failed, quoting it, when it is none. */
export function parseEntry(text: string): ListingEntry {
  try {
    return entryOf(text);
  } catch {
    throw operationFailed(
      `the listing has an entry that rclone lsjson does not print: ${text.slice(0, 200)}`,
    );
  }
}

function entryOf(json: string): ListingEntry {
  const value: unknown = JSON.parse(json);
  return isPlainEntry(value) ? value : v.parse(entrySchema, value);
}

/** What the records of one manifest have in common. */
export interface ManifestOrigin {
  runId: string;
  sourceRoot: string;
  destRoot: string;
}

/** Makes the manifest lines of listed objects; what they have in common is formatted once. */
export class RecordLines {
  readonly #beforeSource: string;
  readonly #beforeDest: string;

  constructor({ runId, sourceRoot, destRoot }: ManifestOrigin) {
    const common = {
      schema: manifestSchemaName,
      run_id: runId,
      source_root: sourceRoot,
      dest_root: destRoot,
    } satisfies Partial<ManifestRecord>;
    this.#beforeSource = `${JSON.stringify(common).slice(0, -1)},"source":"${inString(joinRoot(sourceRoot, ""))}`;
    this.#beforeDest = `","dest":"${inString(joinRoot(destRoot, ""))}`;
  }

  /** The line of an object, its newline included: as JSON.stringify writes the record. */
  lineOf(entry: ManifestEntry): string {
    const { Path, Size, ModTime, Hashes, ETag, Tier } = entry;
    const key = inString(Path);
    return (
      `${this.#beforeSource}${key}${this.#beforeDest}${key}","path":"${key}","size":${Size},` +
      `"mtime":${stringOrNull(ModTime)},"hashes":${Hashes ? JSON.stringify(Hashes) : "{}"},` +
      `"etag":${stringOrNull(ETag)},"storage_class":${stringOrNull(Tier)},"meta":{}}\n`
    );
  }
}

/** A text as it stands between the quotes of a JSON string. */
function inString(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function stringOrNull(text: string | undefined): string {
  return text ? JSON.stringify(text) : "null";
}
