import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { WriteError, writeErrorOf, writing } from "../../../lib/system/write-error.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

/** An error as the system throws it. */
const errorOf = (code: string) => Object.assign(new Error(`${code}: as the system says it, write`), { code });

test.each([
  ["ENOSPC", "no space left on device: free some space there, and run the same command again (ENOSPC)"],
  ["EDQUOT", "disk quota exceeded: free some space there, and run the same command again (EDQUOT)"],
  ["EROFS", "read-only file system: choose a place that can be written (EROFS)"],
  ["EACCES", "permission denied: choose a place that you may write (EACCES)"],
  ["EFBIG", "file too large: see ulimit -f, and what its file system takes (EFBIG)"],
  ["EMFILE", "too many open files: see ulimit -n (EMFILE)"],
  ["EWHATEVER", "EWHATEVER: as the system says it, write"],
])("%s names the file and says what to do", (code, said) => {
  const error = writeErrorOf("/run/file", errorOf(code));
  expect(error).toBeInstanceOf(WriteError);
  expect(error).toMatchObject({ code, message: `/run/file: cannot be written: ${said}` });
  expect((error as Error).cause).toMatchObject({ code });
});

test.each([
  ["/run/state/shard_1.done.tmp.123", "/run/state/shard_1.done"],
  ["/run/manifest.jsonl.tmp.123.kept", "/run/manifest.jsonl.tmp.123.kept"],
  ["/run/a.tmp.b/file", "/run/a.tmp.b/file"],
  ["/run/.tmp.1", "/run/"],
])("an error of %s names %s", (path, name) => {
  expect(writeErrorOf(path, errorOf("EIO"))).toMatchObject({
    message: `${name}: cannot be written: input/output error: look at its file system (EIO)`,
  });
});

test("an open file is named by where it is; one that is closed is not named", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "file");
  const fd = openSync(`${path}.tmp.77`, "w");
  expect(writeErrorOf(fd, errorOf("EIO"))).toMatchObject({
    message: expect.stringContaining(`${path}: cannot`),
  });
  closeSync(fd);
  const error = errorOf("EIO");
  expect(writeErrorOf(1_000_000, error)).toBe(error);
});

test("what is no error of the system, or has its file already, stays as it is", () => {
  const own = new Error("a bug");
  expect(writeErrorOf("/run/file", own)).toBe(own);
  expect(writeErrorOf("/run/file", "text")).toBe("text");
  const named = writeErrorOf("/run/file", errorOf("EIO"));
  expect(writeErrorOf("/run/other", named)).toBe(named);
});

test("what writes gives its value", () => {
  expect(writing("/run/file", () => 7)).toBe(7);
  expect(() =>
    writing("/run/file", () => {
      throw errorOf("ENOSPC");
    }),
  ).toThrow("/run/file: cannot be written: no space left on device");
});
