import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A manifest of names that break careless code, as another writer of the format prints it (non-ASCII escaped). */
export const hostileManifest = join(import.meta.dir, "manifest.v1.hostile-names.jsonl");

/** The keys of that manifest. */
export function hostileNames(): string[] {
  const lines = readFileSync(hostileManifest, "utf8").trimEnd().split("\n");
  return lines.map((line) => (JSON.parse(line) as { path: string }).path);
}
