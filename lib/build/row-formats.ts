import { isMd5 } from "../manifest/record.ts";
import { parseRoot } from "../rclone/remote-options.ts";
import { invalidInput } from "../system/errors.ts";
import type { ManifestEntry } from "./record-lines.ts";

/** A row of an inventory or a listing: an object, or a reason why it is left out, or a fault of the row. */
type ImportedRow =
  | { kind: "object"; entry: ManifestEntry }
  | { kind: "left-out"; why: string }
  | { kind: "bad"; what: string };

/** Reads one row, whose fields have the order of the columns that the reader was made for. */
export type RowReader = (fields: readonly string[]) => ImportedRow;

/** The formats that hold sizes, for which the source is not listed. */
export const rowFormats = ["s3-inventory", "lsf"] as const;

const bad = (what: string): ImportedRow => ({ kind: "bad", what });
const leftOut = (why: string): ImportedRow => ({ kind: "left-out", why });

/**
 * A reader of S3 Inventory rows. `columns` is the fileSchema of the inventory's manifest.json
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html), for example
 * "Bucket,Key,Size,LastModifiedDate,ETag,StorageClass". Keys are URL-encoded in the rows. Old versions, delete markers and
 * keys that are not below the root are left out. Throws invalid input for columns without key or size.
 */
export function inventoryReader(columns: string, sourceRoot: string): RowReader {
  const names = columns.split(",").map((name) => name.trim().toLowerCase());
  const at = (name: string) => names.indexOf(name);
  for (const name of ["key", "size"]) {
    if (at(name) === -1) throw invalidInput(`--columns: ${columns} has no column ${name}`);
  }
  const [bucket = "", ...rest] = parseRoot(sourceRoot).path.replace(/^\/+/, "").split("/");
  const prefix = rest.length > 0 ? `${rcloneName(rest.join("/"))}/` : "";
  if (bucket === "" && at("bucket") === -1) {
    throw invalidInput(`--columns: ${columns} has no column bucket, and --source ${sourceRoot} names none`);
  }
  return (fields) => {
    if (fields.length !== names.length) return bad(`${fields.length} fields, not ${names.length}`);
    const field = (name: string) => fields[at(name)] ?? "";
    if (/^true$/i.test(field("isdeletemarker"))) return leftOut("delete markers");
    if (/^false$/i.test(field("islatest"))) return leftOut("versions that are not the latest");
    if (bucket !== "" && at("bucket") !== -1 && field("bucket") !== bucket) {
      return bad(`the object is in bucket ${field("bucket")}, not in that of --source: ${bucket}`);
    }
    let key: string;
    try {
      // A "+" stands for a space: a plus sign is always escaped.
      key = rcloneName(decodeURIComponent(field("key").replaceAll("+", "%20")));
    } catch {
      return bad(`the key is not URL-encoded: ${field("key")}`);
    }
    if (bucket === "") key = `${field("bucket")}/${key}`;
    else if (!key.startsWith(prefix)) return leftOut(`keys that are not below ${sourceRoot}`);
    const size = parseSize(field("size"));
    if (size === undefined) return bad(`the size is no whole number: ${JSON.stringify(field("size"))}`);
    const time = parseTime(field("lastmodifieddate"));
    if (time === undefined) return bad(`the time cannot be read: ${field("lastmodifieddate")}`);
    const etag = field("etag").replaceAll('"', "");
    // With these encryptions an ETag is no MD5, even if it looks like one.
    const encrypted = /KMS|SSE-C/i.test(field("encryptionstatus"));
    return {
      kind: "object",
      entry: {
        Path: key.slice(prefix.length),
        Size: size,
        ModTime: time,
        ...(etag !== "" && { ETag: etag }),
        ...(isMd5(etag) && !encrypted && { Hashes: { md5: etag } }),
        ...(field("storageclass") !== "" && { Tier: field("storageclass") }),
      },
    };
  };
}

/** Advice for a user who has a key in two rows of an inventory with these columns. */
export function inventoryDuplicateAdvice(columns: string): string {
  return /(?:^|,)\s*islatest\s*(?:,|$)/i.test(columns)
    ? "remove one of the two rows"
    : "an inventory that lists versions needs the columns IsLatest and IsDeleteMarker, or take one of current versions only";
}

/**
 * A reader of rows of `rclone lsf --csv`. `columns` is its --format (https://rclone.org/commands/rclone_lsf/), for example
 * "pst". Directories are left out. Throws invalid input for columns without path or size.
 */
export function lsfReader(columns: string): RowReader {
  const unknown = /[^pstihoTMem]/.exec(columns)?.[0];
  if (unknown !== undefined) throw invalidInput(`--columns: rclone lsf has no format letter ${unknown}`);
  for (const [letter, what] of [
    ["p", "path"],
    ["s", "size"],
  ] as const) {
    if (!columns.includes(letter)) {
      throw invalidInput(`--columns: ${columns} has no ${letter}: a manifest needs the ${what}`);
    }
  }
  return (fields) => {
    if (fields.length !== columns.length) return bad(`${fields.length} fields, not ${columns.length}`);
    const field = (letter: string) =>
      columns.includes(letter) ? (fields[columns.indexOf(letter)] ?? "") : "";
    const path = field("p");
    if (field("s") === "-1" && path.endsWith("/")) return leftOut("directories");
    const size = parseSize(field("s"));
    if (size === undefined) return bad(`the size is no whole number: ${JSON.stringify(field("s"))}`);
    const time = parseTime(field("t").replace(/^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/, "$1T$2"));
    if (time === undefined) return bad(`the time cannot be read: ${field("t")}`);
    return {
      kind: "object",
      entry: {
        Path: path,
        Size: size,
        ModTime: time,
        ...(isMd5(field("h")) && { Hashes: { md5: field("h") } }),
        ...(field("T") !== "" && { Tier: field("T") }),
      },
    };
  };
}

function parseSize(text: string): number | undefined {
  const size = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(size) ? size : undefined;
}

/** A time as RFC 3339 in UTC. A time without a zone is local, as rclone prints it. An empty text stays; undefined for a bad one. */
function parseTime(text: string): string | undefined {
  if (text === "") return "";
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

/**
 * A key as rclone shows it (https://rclone.org/overview/#restricted-filenames). Control characters are shown as their symbols.
 * Characters that are such symbols themselves get a quote before them, except U+2400, which is shown as a NUL is. "." and ".."
 * between slashes are shown in full width.
 */
function rcloneName(key: string): string {
  return key
    .replace(/[\u2401-\u241f\u2421\u201b]/g, "\u201b$&")
    .replace(/[\x00-\x1f]/g, (char) => String.fromCharCode(0x2400 + char.charCodeAt(0)))
    .replaceAll("\x7f", "\u2421")
    .replace(/(?<=^|\/)\.{1,2}(?=\/|$)/g, (dots) => "\uff0e".repeat(dots.length));
}
