import { createHash } from "node:crypto";

/** What a skill's file in a user's folder is, beside the one that is to be installed. */
export type Standing = "absent" | "same" | "other-version" | "changed";

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/**
 * A skill's text as it is installed: its last line has the digest of what stands above it, so that a later installation
 * knows whether anybody has changed it. Nothing else is kept of an installation, and the file can be copied anywhere.
 */
export function stamped(text: string, version: string): string {
  return `${text}\n<!-- installed by xfer ${version}: sha256 ${digestOf(text)} -->\n`;
}

const stamp = /\n<!-- installed by xfer [^\n]*: sha256 ([0-9a-f]{64}) -->\n$/;

/**
 * What is known of a file from its content:
 *
 * | the file | standing |
 * |---|---|
 * | is not there | absent |
 * | has the wanted text, stamped by whichever version or not at all | same |
 * | has another text, and a stamp that fits it | other-version |
 * | has another text, and no stamp or one that does not fit | changed |
 */
export function standingOf(present: string | undefined, wanted: string): Standing {
  if (present === undefined) return "absent";
  const [line, digest] = stamp.exec(present) ?? [];
  const text = line === undefined ? present : present.slice(0, -line.length);
  if (text === wanted) return "same";
  return digest === digestOf(text) ? "other-version" : "changed";
}
