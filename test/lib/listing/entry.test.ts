import { expect, test } from "bun:test";
import { isMarker, parseEntry, parseListingLine } from "../../../lib/listing/entry.ts";

const time = "2026-01-02T03:04:05.123456789Z";
const plain = { Path: "a", Name: "a", Size: 1, MimeType: "text/plain", ModTime: time, IsDir: false };
const line = (more: object) => JSON.stringify({ ...plain, ...more });

test.each([
  ["[", "open"],
  [" [ ", "open"],
  ["]", "close"],
  ["]\r", "close"],
  ["", "blank"],
  [" \t", "blank"],
  [line({}), "entry"],
  [`${line({})},`, "entry"],
  [`  ${line({})},\r`, "entry"],
] as const)("the line %j is %s", (text, kind) => {
  expect(parseListingLine(text).kind).toBe(kind);
});

test.each<[string, object]>([
  ["a plain object", {}],
  ["one with an MD5", { Hashes: { md5: "x" } }],
  ["one with other hashes", { Hashes: { md5: "x", sha1: "y" } }],
  ["one with hashes but no MD5", { Hashes: { crc32: "y" } }],
  ["one with no hash", { Hashes: {} }],
  ["one with a storage class", { Tier: "GLACIER" }],
  ["a folder", { IsDir: true, Size: -1 }],
  ["one without a time", { ModTime: undefined }],
  ["one that does not say what it is", { IsDir: undefined }],
  ["a name that is JSON", { Path: '{"Path":"x"},' }],
  ["a name of four-byte letters and controls", { Path: "\u{1f600}\u0001\u2028\\" }],
])("%s is read as it is", (_, more) => {
  const expected: Record<string, unknown> = { ...plain, ...more };
  for (const read of [parseListingLine(`${line(more)},`), { entry: parseEntry(line(more)) }]) {
    const { Path, Size, ModTime, IsDir, Hashes, Tier } = (read as { entry: Record<string, unknown> }).entry;
    expect({ Path, Size, ModTime, IsDir, Hashes, Tier }).toEqual({
      Path: expected.Path,
      Size: expected.Size,
      ModTime: expected.ModTime,
      IsDir: expected.IsDir,
      Hashes: expected.Hashes,
      Tier: expected.Tier,
    });
  }
});

test.each<[string, string]>([
  ["torn", line({}).slice(0, -1)],
  ["two entries", `${line({})},${line({})}`],
  ["two commas", `${line({})},,`],
  ["no object", '"a"'],
  ["nothing at all", "null"],
  ["an array", "[{}]"],
  ["without a name", line({ Path: undefined })],
  ["with a number for a name", line({ Path: 1 })],
  ["without a size", line({ Size: undefined })],
  ["with a size as text", line({ Size: "1" })],
  ["with a time that is no text", line({ ModTime: 1 })],
  ["that says otherwise what it is", line({ IsDir: "false" })],
  ["with hashes that are no texts", line({ Hashes: { md5: 1 } })],
  ["with another hash that is no text", line({ Hashes: { md5: "x", sha1: 1 } })],
  ["with null for hashes", line({ Hashes: null })],
  ["with a storage class that is no text", line({ Tier: 1 })],
  ["of what a shell said", "bash: rclone: command not found"],
])("a line %s is refused, and quoted", (_, text) => {
  expect(() => parseListingLine(text)).toThrow(
    `the listing has a line that rclone lsjson does not print: ${text.slice(0, 200)}`,
  );
  expect(() => parseListingLine(text)).toThrow(expect.objectContaining({ exitCode: 1 }));
  expect(() => parseEntry(text)).toThrow("the listing has an entry that rclone lsjson does not print: ");
});

test("of a long line only its begin is quoted", () => {
  const quoted = (read: () => unknown) => {
    try {
      return read();
    } catch (error) {
      return (error as Error).message.length;
    }
  };
  expect(quoted(() => parseListingLine("x".repeat(100_000)))).toBeLessThan(300);
  expect(quoted(() => parseEntry("x".repeat(100_000)))).toBeLessThan(300);
});

test.each([
  ["", true],
  ["a/", true],
  ["a//", true],
  ["/", true],
  ["a", false],
  ["/a", false],
  ["a/b", false],
  ["a\\", false],
])("%j is a directory marker: %p", (Path, marker) => {
  expect(isMarker({ Path })).toBe(marker);
});
