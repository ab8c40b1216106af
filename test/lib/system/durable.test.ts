import { expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  AtomicFile,
  readTextIfExists,
  removeIfExists,
  replaceFile,
  syncDirectory,
  writeFileDurable,
  writeFully,
} from "../../../lib/system/durable.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const smile = "\u{1f600}";

/** The ways to add text to a file. */
const ways = {
  text: (file: AtomicFile, text: string) => file.writeText(text),
  bytes: (file: AtomicFile, text: string) => file.write(Buffer.from(text)),
  part: (file: AtomicFile, text: string) => {
    const bytes = Buffer.from(`<<${text}>>`);
    file.writePart(bytes, 2, bytes.length - 2);
  },
} as const;

test.each(Object.keys(ways) as (keyof typeof ways)[])(
  "whatever the buffer is, what was added as %s is there in its order",
  (way) => {
    using dir = temporaryDirectory();
    const texts = ["", "a", smile, "ü\n\0", "long".repeat(300), smile.repeat(50), "z"];
    for (const bufferBytes of [0, 1, 3, 4, 7, 200, 1_200, 1_201, 100_000]) {
      const path = join(dir.path, `file-${bufferBytes}`);
      const file = new AtomicFile(path, bufferBytes);
      for (const text of texts) ways[way](file, text);
      file.commit();
      expect(readFileSync(path, "utf8")).toBe(texts.join(""));
    }
  },
);

test("ways may be mixed", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "file");
  const file = new AtomicFile(path, 8);
  for (let i = 0; i < 30; i++) Object.values(ways)[i % 3]?.(file, `${i}${smile}`);
  file.commit({ durable: false });
  expect(readFileSync(path, "utf8")).toBe(Array.from({ length: 30 }, (_, i) => `${i}${smile}`).join(""));
});

test("a file has its name when it is committed, and not before; what was there stays until then", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "new folder", "file");
  const file = new AtomicFile(path);
  file.writeText("one");
  expect(readTextIfExists(path)).toBeUndefined();
  expect(readFileSync(file.written(), "utf8")).toBe("one");
  file.writeText(" two");
  file.commit();
  expect(readFileSync(path, "utf8")).toBe("one two");
  const other = new AtomicFile(path);
  other.writeText("other");
  expect(readFileSync(other.written(), "utf8")).toBe("other");
  expect(readFileSync(path, "utf8")).toBe("one two");
  other.abort();
  expect(readFileSync(path, "utf8")).toBe("one two");
  expect(readdirSync(join(dir.path, "new folder"))).toEqual(["file"]);
});

test("two files may be written for one name at a time", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "file");
  const one = new AtomicFile(path);
  const two = new AtomicFile(path, undefined, ".kept");
  one.writeText("one");
  two.writeText("two");
  one.abort();
  two.commit();
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(readdirSync(dir.path)).toEqual(["file"]);
});

test("a file that cannot be made or named says where, and leaves nothing", () => {
  using dir = temporaryDirectory();
  writeFileSync(join(dir.path, "file"), "");
  expect(() => new AtomicFile(join(dir.path, "file", "below"))).toThrow("cannot be written");
  mkdirSync(join(dir.path, "folder"));
  expect(() => writeFileDurable(join(dir.path, "folder"), "text")).toThrow(
    `${join(dir.path, "folder")}: cannot be written: is a directory`,
  );
  expect(() => replaceFile(join(dir.path, "folder"), "text")).toThrow("is a directory");
});

test("a file that was written whole is replaced by a whole one, through a link that leads to it too", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "file");
  for (const write of [writeFileDurable, replaceFile]) {
    write(path, "a long text before");
    write(path, smile);
    expect(readFileSync(path, "utf8")).toBe(smile);
    write(path, "");
    expect(readFileSync(path, "utf8")).toBe("");
  }
  const target = join(dir.path, "target");
  writeFileSync(target, "kept");
  symlinkSync(target, join(dir.path, "link"));
  writeFileDurable(join(dir.path, "link"), "new");
  // The name is replaced, not what it led to.
  expect(readFileSync(target, "utf8")).toBe("kept");
  expect(readFileSync(join(dir.path, "link"), "utf8")).toBe("new");
  expect(readdirSync(dir.path).sort()).toEqual(["file", "link", "target"]);
});

test("files are made with the user's umask", () => {
  using dir = temporaryDirectory();
  const before = process.umask(0o027);
  try {
    writeFileDurable(join(dir.path, "a"), "");
    replaceFile(join(dir.path, "b"), "");
  } finally {
    process.umask(before);
  }
  for (const name of ["a", "b"]) expect(statSync(join(dir.path, name)).mode & 0o777).toBe(0o640);
});

test("no file is no text; a folder is an error", () => {
  using dir = temporaryDirectory();
  expect(readTextIfExists(join(dir.path, "none"))).toBeUndefined();
  writeFileSync(join(dir.path, "empty"), "");
  expect(readTextIfExists(join(dir.path, "empty"))).toBe("");
  expect(() => readTextIfExists(dir.path)).toThrow("EISDIR");
});

test("a file is removed if it is there", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "file");
  expect(removeIfExists(path)).toBe(false);
  writeFileSync(path, "");
  expect(removeIfExists(path)).toBe(true);
  expect(removeIfExists(path)).toBe(false);
  symlinkSync("/nowhere", path);
  expect(removeIfExists(path)).toBe(true);
  expect(readdirSync(dir.path)).toEqual([]);
});

test("all bytes are written, and an error of an open file names it", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "file.tmp.123");
  const fd = openSync(path, "w");
  writeFully(fd, new Uint8Array());
  writeFully(fd, new Uint8Array(3_000_000).fill(0x61));
  closeSync(fd);
  expect(statSync(path).size).toBe(3_000_000);
  const reading = openSync(path, "r");
  // The name that it is to have is told, not its temporary one.
  if (process.platform === "linux") expect(() => writeFully(reading, new Uint8Array(1))).toThrow(/EBADF/);
  closeSync(reading);
  const full = openSync("/dev/full", "w");
  expect(() => writeFully(full, new Uint8Array(1))).toThrow(
    "/dev/full: cannot be written: no space left on device: free some space there, and run the same command again (ENOSPC)",
  );
  closeSync(full);
});

test("a folder is synced, and one that is not there is an error", () => {
  using dir = temporaryDirectory();
  expect(() => syncDirectory(dir.path)).not.toThrow();
  expect(() => syncDirectory(join(dir.path, "none"))).toThrow("ENOENT");
  chmodSync(dir.path, 0o755);
});
