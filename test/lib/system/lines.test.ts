import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileChunks, forEachLine, forEachTextLine } from "../../../lib/system/lines.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

async function* chunksOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  // As a pipe gives them: a chunk is valid until the next is asked for.
  const buffer = new Uint8Array(chunkBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    buffer.set(chunk);
    yield buffer.subarray(0, chunk.length);
    buffer.fill(0x21);
  }
}

type Lines = [text: string, number: number, terminated: boolean][];

async function byBytes(bytes: Uint8Array, chunkBytes: number) {
  const lines: Lines = [];
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const count = await forEachLine(chunksOf(bytes, chunkBytes), ({ bytes, number, terminated }) => {
    lines.push([decoder.decode(bytes), number, terminated]);
  });
  expect(count).toBe(lines.length);
  return lines;
}

async function byText(bytes: Uint8Array, chunkBytes: number) {
  const lines: Lines = [];
  await forEachTextLine(chunksOf(bytes, chunkBytes), (line, number, terminated) => {
    lines.push([line, number, terminated]);
  });
  return lines;
}

test.each<[string, Lines]>([
  ["", []],
  ["\n", [["", 1, true]]],
  ["a", [["a", 1, false]]],
  ["a\n", [["a", 1, true]]],
  [
    "\n\na",
    [
      ["", 1, true],
      ["", 2, true],
      ["a", 3, false],
    ],
  ],
  [
    "a\r\nb\u2028c\n",
    [
      ["a\r", 1, true],
      ["b\u2028c", 2, true],
    ],
  ],
  [
    "\u{1f600}ü\n\0\n\u{10ffff}",
    [
      ["\u{1f600}ü", 1, true],
      ["\0", 2, true],
      ["\u{10ffff}", 3, false],
    ],
  ],
  [
    `${"long".repeat(1_000)}\nx\n`,
    [
      ["long".repeat(1_000), 1, true],
      ["x", 2, true],
    ],
  ],
])("the lines of %j are the same wherever it is cut", async (text, lines) => {
  const bytes = new TextEncoder().encode(text);
  for (const chunkBytes of [1, 2, 3, 4, 5, 7, 100, 10_000]) {
    expect(await byBytes(bytes, chunkBytes)).toEqual(lines);
    expect(await byText(bytes, chunkBytes)).toEqual(lines);
  }
});

test("bytes that are no UTF-8 are lines all the same", async () => {
  const bytes = Uint8Array.from([0xff, 0x0a, 0xc3, 0x0a, 0xe2, 0x82]);
  for (const chunkBytes of [1, 2, 6]) {
    const found: number[][] = [];
    await forEachLine(chunksOf(bytes, chunkBytes), (line) => found.push([...line.bytes]));
    expect(found).toEqual([[0xff], [0xc3], [0xe2, 0x82]]);
    expect((await byText(bytes, chunkBytes)).map(([line]) => line)).toEqual(["\ufffd", "\ufffd", "\ufffd"]);
  }
});

test("a line that no writer makes ends the reading before it fills the memory, and is told by its number", async () => {
  const mib = 1024 * 1024;
  let given = 0;
  async function* endless() {
    yield new TextEncoder().encode("a\n");
    for (; given < 64; given++) yield new Uint8Array(mib).fill(0x61);
  }
  await expect(forEachLine(endless(), () => {})).rejects.toThrow("line 2 is longer than 16777216 bytes");
  expect(given).toBe(16);
  given = 0;
  await expect(forEachTextLine(endless(), () => {})).rejects.toThrow("line 2 is longer than 16777216 bytes");
  expect(given).toBe(16);
});

test("what the reader throws ends the reading", async () => {
  const bytes = new TextEncoder().encode("a\nb\nc\n");
  const seen: number[] = [];
  const stop = (number: number) => {
    seen.push(number);
    if (number === 2) throw new Error("enough");
  };
  await expect(forEachLine(chunksOf(bytes, 1), ({ number }) => stop(number))).rejects.toThrow("enough");
  await expect(forEachTextLine(chunksOf(bytes, 100), (_, number) => stop(number))).rejects.toThrow("enough");
  expect(seen).toEqual([1, 2, 1, 2]);
});

test("a file is read whole; one that is not there or is none is an error", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "file");
  const bytes = new Uint8Array(2_500_000).map((_, i) => i % 251);
  writeFileSync(path, bytes);
  const chunks: Uint8Array[] = [];
  for await (const chunk of fileChunks(path)) chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  const read = async (other: string) => {
    for await (const _ of fileChunks(other));
  };
  await expect(read(dir.path)).rejects.toThrow(`${dir.path}: is a folder: a file is wanted`);
  await expect(read(join(path, "below"))).rejects.toThrow("a part of its path is no folder");
  await expect(read(join(dir.path, "none"))).rejects.toMatchObject({ code: "ENOENT" });
});
