import { expect, test } from "bun:test";
import { forEachEntry, sizeOf } from "../../../lib/listing/read-entries.ts";

const entry = (Path: string) => `{"Path":${JSON.stringify(Path)},"Size":1,"ModTime":"","IsDir":false}`;

/** The names that are read of a text in chunks, whether its bracket was there, and the error that ended it. */
async function read(text: string, { chunkBytes = 1 << 20, mayStayOpen = false } = {}) {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      yield new Uint8Array(bytes.subarray(at, at + chunkBytes));
    }
  }
  const names: string[] = [];
  try {
    return { names, closed: await forEachEntry(chunks(), ({ Path }) => names.push(Path), { mayStayOpen }) };
  } catch (error) {
    return { names, error: (error as Error).message };
  }
}

const odd = ["a", "\u{1f600}/\u{10ffff}", "]", "[\n", '"},'];
const whole = `[\n${odd.map(entry).join(",\n")}\n]\n`;

test("a listing is the same wherever it is cut into chunks", async () => {
  for (const chunkBytes of [1, 2, 3, 7, 64, 1 << 20]) {
    expect(await read(whole, { chunkBytes })).toEqual({ names: odd, closed: true });
  }
});

test.each<[string, string, string[]]>([
  ["no entry", "[\n]\n", []],
  ["no newline at its end", "[\n]", []],
  ["blank lines", `\n[\n\n${entry("a")}\n\n]\n\n`, ["a"]],
  ["line ends of another system", `[\r\n${entry("a")},\r\n${entry("b")}\r\n]\r\n`, ["a", "b"]],
])("a listing with %s is whole", async (_, text, names) => {
  expect(await read(text)).toEqual({ names, closed: true });
});

test("cut anywhere before its bracket, a listing is never taken for a whole", async () => {
  const bytes = Buffer.from(whole);
  const bracket = bytes.length - 2;
  for (let end = 0; end <= bytes.length; end++) {
    const { error } = await read(
      bytes
        .subarray(0, end)
        .toString("latin1")
        .replace(/[^\x00-\x7f]/g, "x"),
    );
    if (end > bracket) expect(error).toBeUndefined();
    else expect(error).toStartWith("the listing ended early, after ");
  }
});

test("what ended early says how much of it there was", async () => {
  expect((await read(`[\n${entry("a")},\n${entry("b")},\n`)).error).toBe(
    "the listing ended early, after 2 objects: no closing bracket",
  );
  expect((await read("")).error).toBe("the listing ended early, after 0 objects: no closing bracket");
});

test("a listing that may stay open says whether it did", async () => {
  const open = `[\n${entry("a")},\n${entry("b")}\n`;
  expect(await read(open, { mayStayOpen: true })).toEqual({ names: ["a", "b"], closed: false });
  expect(await read(whole, { mayStayOpen: true })).toEqual({ names: odd, closed: true });
  expect(await read("", { mayStayOpen: true })).toEqual({ names: [], closed: false });
  // Half an entry is none.
  expect((await read(open.slice(0, -5), { mayStayOpen: true })).error).toContain("does not print");
});

test.each<[string, string, string]>([
  ["an entry before the array", `${entry("a")}\n[\n]\n`, "unexpected line 1"],
  ["a bracket in the array", `[\n[\n]\n`, "unexpected line 2"],
  ["an entry after the array", `[\n]\n${entry("a")}\n`, "unexpected line 3"],
  ["two arrays", "[\n]\n[\n]\n", "unexpected line 3"],
  ["two ends", "[\n]\n]\n", "unexpected line 3"],
  [
    "a message among the entries",
    `[\nERROR\n]\n`,
    "the listing has a line that rclone lsjson does not print: ERROR",
  ],
])("%s is no listing", async (_, text, problem) => {
  expect((await read(text)).error).toContain(problem);
});

test.each<[string, number]>([
  [`${entry("a")},`, 1],
  ['{"Path":"a","Size":9007199254740991,"IsDir":false}', Number.MAX_SAFE_INTEGER],
  ['{"Path":"a","Size":0}', 0],
  ['{"Path":"\\"Size\\":5","Size":7}', 7],
  ['{"Path":"a\\\\","Size":7}', 7],
  ['{"Path":"\u{1f600}","Size":7}', 7],
  // A folder's size is not known.
  ['{"Path":"a","Size":-1,"IsDir":true}', 0],
  ["0123456789", 0],
  ["[", 0],
  ["", 0],
])("the size in %j is %d", (line, size) => {
  expect(sizeOf(Buffer.from(line))).toBe(size);
  // As a part of a larger buffer.
  const inside = Buffer.from(`"Size":3 ${line}9`).subarray(9, -1);
  expect(sizeOf(inside.subarray(0, Buffer.byteLength(line)))).toBe(size);
});
