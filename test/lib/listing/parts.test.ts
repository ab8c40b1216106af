import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ListingEntry } from "../../../lib/listing/entry.ts";
import { forEachPartEntry, prefixFile } from "../../../lib/listing/parts.ts";
import { XferError } from "../../../lib/system/errors.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const entries = [
  { Path: "a", Size: 1, ModTime: "", IsDir: false },
  { Path: "folder", Size: -1, ModTime: "", IsDir: true },
  { Path: "b\u{1f600}", Size: 2, ModTime: "", IsDir: false },
];
const lines = `[\n${entries.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`;

/** Every layout in which a program may have left a listing. */
test.each([
  ["as rclone prints it", lines],
  ["on one line", JSON.stringify(entries)],
  ["with blanks", JSON.stringify(entries, null, 2)],
  ["with line ends of another system", lines.replaceAll("\n", "\r\n")],
  ["with a blank line at its begin", `\n${lines}`],
])("a part laid out %s gives its objects below its prefix, and no folders", async (_, text) => {
  using dir = temporaryDirectory();
  const part = { path: join(dir.path, "lsjson-1.json"), prefix: "p/q" };
  writeFileSync(part.path, text);
  const found: [string, number, string][] = [];
  await forEachPartEntry([part], ({ Path, Size }: ListingEntry, { path }) => found.push([Path, Size, path]));
  expect(found).toEqual([
    ["p/q/a", 1, part.path],
    ["p/q/b\u{1f600}", 2, part.path],
  ]);
});

test("a stop is passed on as it is; anything else that is wrong names its part", async () => {
  using dir = temporaryDirectory();
  const part = { path: join(dir.path, "lsjson-1.json"), prefix: "" };
  writeFileSync(part.path, lines);
  const thrown = async (error: Error) =>
    forEachPartEntry([part], () => {
      throw error;
    }).catch((found: unknown) => found);
  const stopped = new XferError("stopped by SIGTERM: go on", 75);
  expect(await thrown(stopped)).toBe(stopped);
  const bug = new Error("a bug");
  expect(await thrown(bug)).toBe(bug);
  expect(await thrown(new XferError("odd", 1))).toMatchObject({ exitCode: 2, message: `${part.path}: odd` });
});

test("the sidecar of a part", () => {
  expect(prefixFile("/x.json/lsjson-a.json.json")).toBe("/x.json/lsjson-a.json.prefix");
});
