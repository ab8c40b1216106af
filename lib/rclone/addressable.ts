import type { RootKind } from "./root.ts";

/** The facts that decide which keys rclone carries as they are. */
export interface AddressFacts {
  source: RootKind;
  dest: RootKind;
  /** rclone's version: [1, 60]. When it is undefined, only keys are carried that every measured version carries. */
  version: readonly [number, number] | undefined;
}

/** The version of an rclone by its own words: [1, 60] for 1.60.1-DEV; null when it does not say. */
export function versionOf(text: string | undefined): [number, number] | null {
  const match = /^(\d+)\.(\d+)/.exec(text ?? "");
  return match ? [Number(match[1]), Number(match[2])] : null;
}

/** The first rclone that keeps empty components between two S3 stores. Of the versions before it 1.60 was measured. */
const keepsEmptyComponents = [1, 75] as const;
/** The longest name of a file (NAME_MAX), in bytes. */
const nameBytesMax = 255;
/** The longest key of S3, in bytes. */
const keyBytesMax = 1024;
/** The most bytes of UTF-8 that one UTF-16 unit takes. */
const bytesOfUnit = 3;

/** Matches every key that a rule about characters or components could refuse, and few others. */
const unusual = /[\n\r\0\u201b\u2400\uff0e\ufffd\ud800-\udfff]|\/[/.]/;
const dotComponent = /(?:^|\/)\.\.?(?:\/|$)/;
/** Components as which rclone lists both `.` or `..` and these full-width names themselves. */
const wideDotComponent = /(?:^|\/)\uff0e\uff0e?(?:\/|$)/;
/** The quotes of rclone that a listing may have: before a stand-in, or in a component of one or two quoted stops. */
const plainQuotes = /\u201b[\u2400-\u241f\u2421\uff0f]|(?<=^|\/)(?:\u201b\uff0e){1,2}(?=\/|$)/g;
const unquotedNul = /(?<!\u201b)\u2400/;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Why rclone cannot carry a key from one kind of place to another as it is, or undefined when it can. The key is the
 * path as rclone lists it. In a listed path U+2401 stands for the control character 0x01, and U+201B before it quotes a
 * real U+2401. The table was measured on rclone 1.60, 1.75 and 1.76; "no" means that rclone asks for another key, or
 * lists two keys as one.
 *
 * | a listed key that has | s3 to s3 | s3 to posix | posix to s3 | posix to posix |
 * |---|---|---|---|---|
 * | an empty component inside it, `a//b` | from 1.75 | no | | |
 * | a slash at its start or end | no | no | | |
 * | a component `.` or `..` in full-width stops: the real `.` is listed like that too | no | no | yes | yes |
 * | U+2400, unless it is quoted: a NUL is listed like that too | no | no | yes | yes |
 * | U+201B, unless it quotes one stand-in: one and two of them are listed alike | no | no | no | no |
 * | U+FFFD: bytes that are no UTF-8 are listed like that too | no | no | no | no |
 * | a name that is listed with more than 255 bytes | yes | no | yes | no |
 * | more than 1,024 bytes in all | no | yes | no | yes |
 * | anything else: controls, quotes, `#`, `%`, spaces, `...`, backslash, emoji | yes | yes | yes | yes |
 *
 * The rules of both kinds hold for a place of the kind "other". A key that manifests refuse (lib/manifest/key.ts) is
 * refused here too.
 */
export function untransferableReason(key: string, facts: AddressFacts): string | undefined {
  const first = key.charCodeAt(0);
  // 0x2f is a slash, 0x2e a stop.
  const hasUsualEnds = first !== 0x2f && first !== 0x2e && key !== "" && !key.endsWith("/");
  if (!hasUsualEnds || unusual.test(key)) {
    const reason = unusualReason(key, facts);
    if (reason !== undefined) return reason;
  }
  return key.length * bytesOfUnit > nameBytesMax ? lengthReason(key, facts) : undefined;
}

/** Applies the rules about characters and components. */
function unusualReason(key: string, facts: AddressFacts): string | undefined {
  if (key === "") return "is empty";
  if (/[\n\r\0]/.test(key)) return "has a line break or a NUL, which cannot be handed to rclone";
  if (key.startsWith("/")) return "begins with a slash, which rclone drops";
  if (key.endsWith("/")) return "ends in a slash, which rclone drops";
  if (dotComponent.test(key)) return "has a component '.' or '..', which rclone reads as a path";
  if (key.includes("//") && !carriesEmptyComponents(facts)) {
    return facts.source === "s3" && facts.dest === "s3"
      ? "has an empty component: rclone before 1.75 reads and writes a/b for a//b"
      : "has an empty component: rclone writes a/b for a//b";
  }
  if (wideDotComponent.test(key) && (facts.source !== "posix" || facts.dest === "other")) {
    return "has a component of one or two full-width stops, as which rclone lists '.' and '..' too";
  }
  if (unquotedNul.test(key) && facts.source !== "posix") {
    return "has U+2400, as which rclone lists a NUL too";
  }
  if (key.includes("\u201b") && key.replace(plainQuotes, "").includes("\u201b")) {
    return "has U+201B, rclone's own quote: one and two of them are listed alike";
  }
  if (key.includes("\ufffd")) return "has U+FFFD, as which names that are no UTF-8 are listed too";
  if (loneSurrogate.test(key)) return "has half a character (a lone surrogate)";
  return undefined;
}

function carriesEmptyComponents({ source, dest, version }: AddressFacts): boolean {
  if (source !== "s3" || dest !== "s3" || version === undefined) return false;
  const [major, minor] = keepsEmptyComponents;
  return version[0] > major || (version[0] === major && version[1] >= minor);
}

/** Applies the rules about lengths. A name counts as it is listed, since rclone's temporary file is named like that. */
function lengthReason(key: string, { dest }: AddressFacts): string | undefined {
  if (dest !== "s3" && hasLongName(key)) return `has a name of more than ${nameBytesMax} bytes`;
  if (dest === "posix" || key.length * bytesOfUnit <= keyBytesMax || keyBytes(key) <= keyBytesMax)
    return undefined;
  return `is longer than the ${keyBytesMax} bytes that S3 takes`;
}

function hasLongName(key: string): boolean {
  for (let start = 0; start < key.length; ) {
    const slash = key.indexOf("/", start);
    const end = slash < 0 ? key.length : slash;
    const isLong = (end - start) * bytesOfUnit > nameBytesMax;
    if (isLong && Buffer.byteLength(key.slice(start, end)) > nameBytesMax) return true;
    start = end + 1;
  }
  return false;
}

/** The length of a key in its store, in bytes: a stand-in is one byte there, and a quoted character is itself. */
function keyBytes(key: string): number {
  return Buffer.byteLength(
    key.replace(/\u201b?[\u2401-\u241f\u2421]/g, (found) => (found.length > 1 ? found.slice(1) : "\x01")),
  );
}
