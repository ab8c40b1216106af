/** The path below the root of what a listing of `prefix` calls `path`. */
export function joinPrefix(prefix: string, path: string): string {
  return prefix === "" ? path : `${prefix}/${path}`;
}

/** Orders text by its UTF-8 bytes, as S3 orders keys; JavaScript's own order differs beyond the basic plane. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
