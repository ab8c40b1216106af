import type { FailureClass } from "../../lib/rclone/failure-class.ts";

/** What stat(2) says of the path of a record: what it is, or the name of the error. */
export type FileLook =
  | { kind: "file" }
  | { kind: "directory" }
  | { kind: "other" }
  | { kind: "error"; errno: string | undefined; message: string };

/** Why a record can be left out of a pass, since rclone could not read it. */
export interface Unreadable {
  class: FailureClass;
  message: string;
}

/** Characters that rclone shows for others that stand in the name on disk; which ones, only rclone knows. */
const shownOtherwise = /[\u201b\ufffd\u2400-\u2421\uff01-\uff5e]/;

/** The reasons of errors that are no chance: rclone meets the same ones. */
const reasons: Readonly<Record<string, Unreadable>> = {
  EACCES: { class: "auth", message: "permission denied" },
  EPERM: { class: "auth", message: "operation not permitted" },
  ELOOP: { class: "path", message: "too many levels of symbolic links" },
  ENAMETOOLONG: { class: "path", message: "file name too long" },
  ENOTDIR: { class: "missing", message: "a part of its path is no directory" },
};

/**
 * Whether a record of a POSIX source is left out of a pass, from what is at its path. One that rclone cannot look up
 * would end the whole pass of rclone 1.60, or hang it.
 *
 * | at the path | left out as |
 * |---|---|
 * | a regular file, or a link to one | not at all; whether it can be opened rclone says of it alone |
 * | nothing | not at all: rclone passes over it, and a name that it writes otherwise is not nothing |
 * | a directory; a pipe, socket or device, of which a read may never end | path |
 * | permission denied on the way to it | auth |
 * | a loop of links, a name too long for the file system | path |
 * | a file where a directory should be | missing |
 * | another error (EIO, ESTALE) | unknown: the next pass looks again |
 * | any, for a key with characters that rclone puts in the place of others | not at all: its path is not known |
 */
export function unreadableFile(key: string, look: FileLook): Unreadable | undefined {
  if (look.kind === "file" || shownOtherwise.test(key)) return undefined;
  if (look.kind === "directory") return { class: "path", message: "is a directory, no file any more" };
  if (look.kind === "other")
    return { class: "path", message: "is a pipe, socket or device, no file any more" };
  if (look.errno === "ENOENT") return undefined;
  return reasons[look.errno ?? ""] ?? { class: "unknown", message: look.message };
}
