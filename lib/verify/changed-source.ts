import { statSync } from "node:fs";
import { join } from "node:path";
import { sameTimeSeconds } from "../compare/comparison.ts";
import type { ManifestRecord } from "../manifest/record.ts";
import { parseRoot } from "../rclone/remote-options.ts";

/**
 * The source's folder, where both roots are paths of this host; undefined elsewhere. Between two paths rclone keeps
 * modification times, and a listing has them at no cost.
 */
export function sourceFolder(roots: { source_root: string; dest_root: string }): string | undefined {
  const [source, dest] = [parseRoot(roots.source_root), parseRoot(roots.dest_root)];
  return source.form === "posix" && dest.form === "posix" ? source.path : undefined;
}

/**
 * Why a file at the source is not the one that was listed; undefined when it is, or when it cannot be told. Ask this where
 * the destination's time is not the recorded one. By itself another time proves nothing: a file system may keep no times, and
 * a file may have been there before the copy, with its own time.
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
    // The file cannot be looked at from here.
  }
  if (!found) return undefined;
  if (found.size === size && Math.abs(found.mtimeMs - recorded) <= 1_000 * sameTimeSeconds) return undefined;
  return `changed at the source after it was listed (${new Date(found.mtimeMs).toISOString()})`;
}
