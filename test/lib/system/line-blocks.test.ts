import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { forEachLineBlock } from "../../../lib/system/line-blocks.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

/** The lines of a file as blocks give them, and the number that each block says its first line has. */
async function linesOf(content: string | Uint8Array) {
  using dir = temporaryDirectory();
  const path = join(dir.path, "f");
  writeFileSync(path, content);
  const lines: string[] = [];
  const progress: number[] = [];
  await forEachLineBlock(
    path,
    ({ bytes, start, end, firstLine }) => {
      expect(firstLine).toBe(lines.length + 1);
      expect(bytes[end - 1]).toBe(0x0a);
      const block = bytes.toString("latin1", start, end - 1).split("\n");
      lines.push(...block);
      return block.length;
    },
    { onProgress: ({ bytes, bytesTotal }) => progress.push(bytes / bytesTotal) },
  );
  return { lines, progress };
}

const blockBytes = 512 * 1024;

/** [what the file is, its lines, whether the last one ends with a newline] */
const rows: [string, string[], boolean][] = [
  ["one line", ["a"], true],
  ["one line that nothing ends", ["a"], false],
  ["empty lines", ["", "", "a", ""], true],
  ["lines that do not fit blocks evenly", Array.from({ length: 5000 }, (_, i) => "x".repeat(i % 700)), true],
  ["a block exactly", ["x".repeat(blockBytes - 1), "y"], true],
  ["a block exactly, and nothing ends it", ["x".repeat(blockBytes)], false],
  ["a line of many blocks between short ones", ["a", "b".repeat(5 * blockBytes + 7), "c"], false],
];

for (const [what, lines, ended] of rows) {
  test(what, async () => {
    const found = await linesOf(lines.join("\n") + (ended ? "\n" : ""));
    expect(found.lines).toEqual(lines);
    expect(found.progress.at(-1)).toBe(1);
  });
}

test("an empty file has no line", async () => {
  expect((await linesOf("")).lines).toEqual([]);
});

test("a line that no writer makes is refused rather than kept in memory", async () => {
  expect(linesOf(`a\n${"x".repeat(17 * 1024 * 1024)}`)).rejects.toThrow(
    /f:2: the line is longer than 16777216 bytes/,
  );
});
