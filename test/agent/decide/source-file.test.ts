import { describe, expect, test } from "bun:test";
import { type FileLook, unreadableFile } from "../../../agent/decide/source-file.ts";
import type { FailureClass } from "../../../lib/rclone/failure-class.ts";

const error = (errno: string): FileLook => ({ kind: "error", errno, message: `${errno}: it failed` });

describe("what is left out of a pass over a POSIX source", () => {
  const rows: [string, FileLook, FailureClass | undefined][] = [
    ["a/b", { kind: "file" }, undefined],
    ["a/b", { kind: "directory" }, "path"],
    ["a/b", { kind: "other" }, "path"],
    ["a/b", error("ENOENT"), undefined],
    ["a/b", error("EACCES"), "auth"],
    ["a/b", error("EPERM"), "auth"],
    ["a/b", error("ELOOP"), "path"],
    ["a/b", error("ENAMETOOLONG"), "path"],
    ["a/b", error("ENOTDIR"), "missing"],
    ["a/b", error("EIO"), "unknown"],
    ["a/b", { kind: "error", errno: undefined, message: "strange" }, "unknown"],
    // Written otherwise on disk: a newline, a dot folder, a full-width character, a byte that is no UTF-8.
    ["a/b\u240a", error("ENAMETOOLONG"), undefined],
    ["a/\uff0e", error("EACCES"), undefined],
    ["\u201b\uff0e", { kind: "directory" }, undefined],
    ["M\ufffdller", error("ENOTDIR"), undefined],
    ["größe/日本", error("EACCES"), "auth"],
  ];
  for (const [key, look, failure] of rows) {
    test(`${key} ${JSON.stringify(look)}`, () => expect(unreadableFile(key, look)?.class).toBe(failure));
  }
});
