import { parseRoot } from "../rclone/remote-options.ts";
import { invalidInput } from "../system/errors.ts";
import type { ManifestEntry } from "./record-lines.ts";

/** What a row of an inventory or a listing says, or why it is no object to be copied, or what is wrong with it. */
type ImportedRow =
  | { kind: "object"; entry: ManifestEntry }
  | { kind: "left-out"; why: string }
  | { kind: "bad"; what: string };

/** Reads one row; the fields are in the order of the columns that the reader was made for. */
export type RowReader = (fields: readonly string[]) => ImportedRow;

/** The formats that hold sizes, and so need no look at the source. */
export const rowFormats = ["s3-inventory", "lsf"] as const;

const bad = (what: string): ImportedRow => ({ kind: "bad", what });
const leftOut = (why: string): ImportedRow => ({ kind: "left-out", why });

/**
 * A reader of S3 Inventory rows with columns such as "Bucket,Key,Size,LastModifiedDate,ETag,StorageClass": the
 * fileSchema of the inventory's manifest.json
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html). Keys are URL-encoded there.
 * Old versions, delete markers and keys that are not below the root are left out. Throws invalid input for columns that
 * do not tell key and size.
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
      // "+" stands for a space; a plus sign is always escaped.
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
    // Under these encryptions an ETag is no MD5, even where it looks like one.
    const encrypted = /KMS|SSE-C/i.test(field("encryptionstatus"));
    return {
      kind: "object",
      entry: {
        Path: key.slice(prefix.length),
        Size: size,
        ModTime: time,
        ...(etag !== "" && { ETag: etag }),
        ...(md5Form.test(etag) && !encrypted && { Hashes: { md5: etag } }),
        ...(field("storageclass") !== "" && { Tier: field("storageclass") }),
      },
    };
  };
}

/** What to do about a key that is in two rows of an inventory with these columns. */
export function inventoryDuplicateAdvice(columns: string): string {
  return /(?:^|,)\s*islatest\s*(?:,|$)/i.test(columns)
    ? "remove one of the two rows"
    : "an inventory that lists versions needs the columns IsLatest and IsDeleteMarker, or take one of current versions only";
}

/**
 * A reader of rows of `rclone lsf --csv`; the columns are its --format, such as "pst"
 * (https://rclone.org/commands/rclone_lsf/). Directories are left out. Throws invalid input for columns without path
 * and size.
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
        ...(md5Form.test(field("h")) && { Hashes: { md5: field("h") } }),
        ...(field("T") !== "" && { Tier: field("T") }),
      },
    };
  };
}

const md5Form = /^[0-9a-f]{32}$/i;

function parseSize(text: string): number | undefined {
  const size = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(size) ? size : undefined;
}

/** A time in RFC 3339 and UTC; one without a zone is local, as rclone prints it. "" for none, undefined if it is bad. */
function parseTime(text: string): string | undefined {
  if (text === "") return "";
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

/**
 * A key as rclone shows it: control characters as their symbols, symbols that were there quoted (but U+2400, which is shown
 * as a NUL is), "." and ".." between slashes in full width (https://rclone.org/overview/#restricted-filenames).
 */
function rcloneName(key: string): string {
  return key
    .replace(/[\u2401-\u241f\u2421\u201b]/g, "\u201b$&")
    .replace(/[\x00-\x1f]/g, (char) => String.fromCharCode(0x2400 + char.charCodeAt(0)))
    .replaceAll("\x7f", "\u2421")
    .replace(/(?<=^|\/)\.{1,2}(?=\/|$)/g, (dots) => "\uff0e".repeat(dots.length));
}
