import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ScratchFile } from "../../../lib/system/scratch-file.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

test("what was written can be read from anywhere, and no name of it is in the folder", () => {
  using dir = temporaryDirectory();
  using file = new ScratchFile(join(dir.path, "m"));
  expect(file.append(Buffer.from("first "))).toBe(0);
  expect(file.append(Buffer.from("second"))).toBe(6);
  const into = Buffer.alloc(6);
  file.read(into, 6);
  expect(into.toString()).toBe("second");
  // Reading does not move where the next bytes go.
  file.read(into, 0);
  expect(file.append(Buffer.from("!"))).toBe(12);
  file.read(into, 7);
  expect(into.toString()).toBe("econd!");
  expect(readdirSync(dir.path)).toEqual([]);
});

test("a folder that takes no file is named, and reading past the end is an error", () => {
  using dir = temporaryDirectory();
  using lost = new ScratchFile(join(dir.path, "no", "m"));
  expect(() => lost.append(Buffer.from("x"))).toThrow(/no\/m\.scratch\.\d+: cannot be written: ENOENT/);
  using file = new ScratchFile(join(dir.path, "m"));
  file.append(Buffer.from("abc"));
  expect(() => file.read(Buffer.alloc(4), 0)).toThrow("is shorter than what was written");
});
