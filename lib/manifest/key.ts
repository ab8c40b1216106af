/**
 * Why a manifest path may not be used, or undefined when it may. An absolute path or a `..` component could leave the
 * destination root. A line break cannot be handed to rclone.
 */
export function pathProblem(path: string): string | undefined {
  // One look is enough for nearly all paths.
  if (path !== "" && !/^\/|\.\.|[\n\r\0]/.test(path)) return undefined;
  if (path === "") return "the path is empty";
  if (path.startsWith("/")) return "the path is absolute";
  if (/(?:^|\/)\.\.(?:\/|$)/.test(path)) return "the path has a '..' component";
  if (/[\n\r\0]/.test(path)) return "the path has a line break or a NUL";
  return undefined;
}
