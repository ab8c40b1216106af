import type { FailureClass } from "../../lib/rclone/failure-class.ts";

/** The kind of file at the path of a record, or the error of stat(2). */
export type FileLook =
  | { kind: "file" }
  | { kind: "directory" }
  | { kind: "other" }
  | { kind: "error"; errno: string | undefined; message: string };

/** Why rclone could not read a file. */
export interface Unreadable {
  class: FailureClass;
  message: string;
}

/** Characters that rclone lists in the place of others. Only rclone knows which ones the name on disk has. */
const shownOtherwise = /[\u201b\ufffd\u2400-\u2421\uff01-\uff5e]/;

/** The errors that rclone would meet as well, and how they are reported. */
const reasons: Readonly<Record<string, Unreadable>> = {
  EACCES: { class: "auth", message: "permission denied" },
  EPERM: { class: "auth", message: "operation not permitted" },
  ELOOP: { class: "path", message: "too many levels of symbolic links" },
  ENAMETOOLONG: { class: "path", message: "file name too long" },
  ENOTDIR: { class: "missing", message: "a part of its path is no directory" },
};

/**
 * Why a record of a POSIX source is left out of a pass, or undefined when rclone can copy it. A file that rclone cannot
 * look up would make rclone 1.60 abort the whole pass, or hang.
 *
 * | at the path | left out as |
 * |---|---|
 * | a regular file, or a link to one | not left out: if it cannot be opened, rclone says that of this file alone |
 * | nothing | not left out: rclone passes over it, and the name on disk may be written otherwise |
 * | a directory; a pipe, socket or device, whose reading may never end | path |
 * | permission denied on the way to it | auth |
 * | a loop of links, a name too long for the file system | path |
 * | a file where a directory should be | missing |
 * | another error (EIO, ESTALE) | unknown: the next pass looks again |
 * | anything, for a key with characters that rclone lists in the place of others | not left out: its path is not known |
 */
export function unreadableFile(key: string, look: FileLook): Unreadable | undefined {
  if (look.kind === "file" || shownOtherwise.test(key)) return undefined;
  if (look.kind === "directory") return { class: "path", message: "is a directory, no file any more" };
  if (look.kind === "other")
    return { class: "path", message: "is a pipe, socket or device, no file any more" };
  if (look.errno === "ENOENT") return undefined;
  return reasons[look.errno ?? ""] ?? { class: "unknown", message: look.message };
}
