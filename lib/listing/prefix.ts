import { joinRoot } from "../rclone/root.ts";

/** The path below the root of what a listing of `prefix` calls `path`. */
export function joinPrefix(prefix: string, path: string): string {
  return prefix === "" ? path : `${prefix}/${path}`;
}

/** The root of what lies below a prefix of a root. */
export function rootBelow(root: string, prefix: string): string {
  return prefix === "" ? root : joinRoot(root, prefix);
}

/** Orders text by its UTF-8 bytes, as S3 orders keys; JavaScript's own order differs beyond the basic plane. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
