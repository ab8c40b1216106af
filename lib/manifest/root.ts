/** The full name of an object: its key below the root. */
export function joinRoot(root: string, path: string): string {
  return /[:/]$/.test(root) ? root + path : `${root}/${path}`;
}

/** A root without the slashes at its end, so that one place has one name. */
export function trimRoot(root: string): string {
  const trimmed = root.replace(/\/+$/, "");
  return trimmed === "" && root !== "" ? "/" : trimmed;
}

/**
 * Why a manifest path may not be used, or undefined when it may.
 * An absolute path or a `..` component could leave the destination root; a line break cannot be handed to rclone.
 */
export function pathProblem(path: string): string | undefined {
  // Nearly all are seen at one look to have none of these.
  if (path !== "" && !/^\/|\.\.|[\n\r\0]/.test(path)) return undefined;
  if (path === "") return "the path is empty";
  if (path.startsWith("/")) return "the path is absolute";
  if (/(?:^|\/)\.\.(?:\/|$)/.test(path)) return "the path has a '..' component";
  if (/[\n\r\0]/.test(path)) return "the path has a line break or a NUL";
  return undefined;
}
