import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A manifest of names that break careless code, as another writer of the format prints it (non-ASCII escaped). */
export const hostileManifest = join(import.meta.dir, "manifest.v1.hostile-names.jsonl");

/** The keys of that manifest. */
export function hostileNames(): string[] {
  const lines = readFileSync(hostileManifest, "utf8").trimEnd().split("\n");
  return lines.map((line) => (JSON.parse(line) as { path: string }).path);
}

/** Keys with control characters as they are, which rclone lists as symbols. */
export const controlNames = ["real\nline.txt", "real\rreturn.txt", "real\ttab.txt", "bell\x07.txt"] as const;

/** A key as rclone lists it: control characters as their symbols, and symbols that were there quoted. */
export function listedName(key: string): string {
  return key
    .replace(/[\u2401-\u241f\u2421\u201b]/g, "\u201b$&")
    .replace(/[\x00-\x1f]/g, (char) => String.fromCharCode(0x2400 + char.charCodeAt(0)))
    .replaceAll("\x7f", "\u2421");
}
