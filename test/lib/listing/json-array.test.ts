import { expect, test } from "bun:test";
import { forEachArrayElement } from "../../../lib/listing/json-array.ts";

async function elements(text: string, chunkBytes = 1 << 20): Promise<unknown[]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes)
      yield new Uint8Array(bytes.subarray(at, at + chunkBytes));
  }
  const found: unknown[] = [];
  await forEachArrayElement(chunks(), (element) => found.push(JSON.parse(element)));
  return found;
}

const entries = [
  { Path: 'a"]},{[\\', Size: 1, Hashes: { md5: "x" } },
  { Path: "ü😀\n", Size: 2, deep: [[{ a: "]" }], {}] },
  {},
];

test("elements are the same however the array is laid out and wherever it is cut into chunks", async () => {
  for (const space of [0, 1, "\t"]) {
    const text = ` \r\n${JSON.stringify(entries, null, space)}\n`;
    for (const chunkBytes of [1, 2, 3, 7, 1000]) expect(await elements(text, chunkBytes)).toEqual(entries);
  }
  expect(await elements("[]")).toEqual([]);
  expect(await elements(" [ \n ] ")).toEqual([]);
});

test("cut anywhere, an array is never taken for a whole", async () => {
  const text = JSON.stringify(entries, null, 1);
  for (let length = 0; length < text.length; length++) {
    await expect(elements(text.slice(0, length))).rejects.toThrow("ended early");
  }
});

test("anything but one array of objects is an error that shows where", async () => {
  const rows: [string, string][] = [
    ["AccessDenied", 'after 0 objects unexpected "AccessDenied"'],
    ["{}", 'unexpected "{}"'],
    ["[{}][{}]", 'after 1 object unexpected "[{}]"'],
    ["[{},]", 'unexpected "]"'],
    ["[,{}]", 'unexpected ",{}]"'],
    ["[{} {}]", 'unexpected "{}]"'],
    ["[1]", 'unexpected "1]"'],
    ['["a"]', "unexpected"],
    ["[{}]x", 'unexpected "x"'],
  ];
  for (const [text, message] of rows) await expect(elements(text)).rejects.toThrow(message);
});
