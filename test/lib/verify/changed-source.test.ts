import { expect, test } from "bun:test";
import { symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { changedAtSource, sourceFolder } from "../../../lib/verify/changed-source.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

test.each([
  ["/a", "/b", "/a"],
  ["in", "out", "in"],
  ["src:data", "/b", undefined],
  ["/a", "dst:copy", undefined],
])("from %s to %s times are looked at in %s", (source_root, dest_root, folder) => {
  expect(sourceFolder({ source_root, dest_root })).toBe(folder);
});

test("a file has changed when its size or, by more than two seconds, its time is another; else nothing is known", () => {
  using dir = temporaryDirectory();
  const path = "a file";
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
  const record = { path, size: 5, mtime: at(10).toISOString() };
  expect(changedAtSource(dir.path, record)).toBeUndefined();
  writeFileSync(join(dir.path, path), "12345");
  for (const [seconds, changed] of [
    [10, false],
    [8, false],
    [12, false],
    [7, true],
    [13, true],
  ] as const) {
    utimesSync(join(dir.path, path), at(seconds), at(seconds));
    expect(changedAtSource(dir.path, record) !== undefined).toBe(changed);
  }
  expect(changedAtSource(dir.path, record)).toContain(
    "changed at the source after it was listed (2026-01-01T00:00:13",
  );
  expect(changedAtSource(dir.path, { ...record, mtime: null })).toBeUndefined();
  utimesSync(join(dir.path, path), at(10), at(10));
  expect(changedAtSource(dir.path, { ...record, size: 6 })).toBeDefined();
  symlinkSync("loop", join(dir.path, "loop"));
  expect(changedAtSource(dir.path, { ...record, path: "loop" })).toBeUndefined();
});
