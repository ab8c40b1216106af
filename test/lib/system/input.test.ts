import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { inputChunks, inputName } from "../../../lib/system/input.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

/** What is read of a file with this content. */
async function read(content: Uint8Array): Promise<Buffer> {
  using dir = temporaryDirectory();
  const path = join(dir.path, "input");
  writeFileSync(path, content);
  const chunks: Uint8Array[] = [];
  for await (const chunk of inputChunks(path)) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

const text = Buffer.from(`\u{1f600}\n${"line of text\n".repeat(300_000)}`);

test.each<[string, Buffer, Buffer]>([
  ["nothing", Buffer.alloc(0), Buffer.alloc(0)],
  ["one byte", Buffer.from([0x1f]), Buffer.from([0x1f])],
  ["text", text, text],
  ["what gzip packed", gzipSync(text), text],
  ["nothing that gzip packed", gzipSync(""), Buffer.alloc(0)],
  [
    "members after each other",
    Buffer.concat([gzipSync("a"), gzipSync(""), gzipSync("b")]),
    Buffer.from("ab"),
  ],
])("%s is read", async (_, content, expected) => {
  expect((await read(content)).equals(expected)).toBe(true);
});

test.each<[string, Buffer]>([
  ["torn", gzipSync(text).subarray(0, -9)],
  ["torn after its first bytes", gzipSync(text).subarray(0, 12)],
  [
    "damaged",
    Buffer.concat([gzipSync(text).subarray(0, 40), Buffer.from("damaged"), gzipSync(text).subarray(47)]),
  ],
  ["no gzip but for its first bytes", Buffer.from([0x1f, 0x8b, 0xff, 0, 0, 0])],
])("an input that is %s is told from a whole one", async (_, content) => {
  await expect(read(content)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/input: not whole, or not gzip: /),
  });
});

test("an input that is not there is named", async () => {
  const chunks = inputChunks("/nowhere/input");
  await expect(chunks.next()).rejects.toThrow(
    expect.objectContaining({ exitCode: 2, message: "/nowhere/input: no such file" }),
  );
  expect(inputName("-")).toBe("stdin");
  expect(inputName("/a/-")).toBe("/a/-");
});
