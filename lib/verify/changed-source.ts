import { statSync } from "node:fs";
import { join } from "node:path";
import type { ManifestRecord } from "../manifest/record.ts";
import { parseRoot } from "../rclone/remote-options.ts";

/** Times that are closer than this are one: some file systems keep times to two seconds. */
const sameTimeMs = 2_000;

/**
 * The source's folder, where both roots are paths of this host: rclone keeps modification times between such, and the listing
 * has them for nothing.
 */
export function sourceFolder(roots: { source_root: string; dest_root: string }): string | undefined {
  const [source, dest] = [parseRoot(roots.source_root), parseRoot(roots.dest_root)];
  return source.form === "posix" && dest.form === "posix" ? source.path : undefined;
}

/**
 * Why a file of the source is not the one that was listed any more; undefined when it is, or when nothing is known of it. To
 * be asked where the destination's time is not the recorded one: alone that proves nothing, since a file system may keep
 * no times, and a file may have been there before with another.
 */
export function changedAtSource(
  folder: string,
  { path, size, mtime }: Pick<ManifestRecord, "path" | "size" | "mtime">,
): string | undefined {
  const recorded = mtime ? Date.parse(mtime) : Number.NaN;
  if (Number.isNaN(recorded)) return undefined;
  let found: { size: number; mtimeMs: number } | undefined;
  try {
    found = statSync(join(folder, path), { throwIfNoEntry: false });
  } catch {
    // Not to be looked at from here: nothing is known of it.
  }
  if (!found) return undefined;
  if (found.size === size && Math.abs(found.mtimeMs - recorded) <= sameTimeMs) return undefined;
  return `changed at the source after it was listed (${new Date(found.mtimeMs).toISOString()})`;
}
