import { expect, test } from "bun:test";
import { forEachCsvRow } from "../../../lib/system/csv.ts";

async function rows(text: string | Uint8Array, chunkBytes = 3): Promise<[number, ...string[]][]> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const found: [number, ...string[]][] = [];
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  await forEachCsvRow(chunks(), "f.csv", (fields, line) => found.push([line, ...fields]));
  return found;
}

test("rows of RFC 4180, however they are cut into chunks", async () => {
  const good: [string, [number, ...string[]][]][] = [
    ["", []],
    ["a,b,c\n", [[1, "a", "b", "c"]]],
    [
      "a,b\r\nc,d",
      [
        [1, "a", "b"],
        [2, "c", "d"],
      ],
    ],
    [
      ",\n\n,,",
      [
        [1, "", ""],
        [3, "", "", ""],
      ],
    ],
    ['"a,b","c""d",""\n', [[1, "a,b", 'c"d', ""]]],
    [
      '"""",x\n"","",\n',
      [
        [1, '"', "x"],
        [2, "", "", ""],
      ],
    ],
    [
      'a,"b\nc\r\n\nd"\ne,f\n',
      [
        [1, "a", "b\nc\r\n\nd"],
        [5, "e", "f"],
      ],
    ],
    [
      '"x\n""y""\nz",1\nq,2\n',
      [
        [1, 'x\n"y"\nz', "1"],
        [4, "q", "2"],
      ],
    ],
    ["\ufeffé,😀\n", [[1, "é", "😀"]]],
    [" a , b\n", [[1, " a ", " b"]]],
  ];
  for (const [text, want] of good) {
    for (const chunkBytes of [1, 3, 1_000]) expect(await rows(text, chunkBytes)).toEqual(want);
  }
});

test("a bad row is named by its line", async () => {
  const bad: [string | Uint8Array, RegExp][] = [
    ['a,b\n"c,d\ne,f\n', /^f\.csv:2: .*a quote is not closed/],
    ['a,b"c"\n', /^f\.csv:1: .*a quote inside a field/],
    ['"a"b,c\n', /^f\.csv:1: .*text after a closing quote/],
    [new Uint8Array([0x61, 0x0a, 0xff, 0x0a]), /^f\.csv:2: .*not UTF-8/],
    [`x,"${"y\n".repeat(600_000)}"`, /^f\.csv:1: .*a quote is not closed/],
  ];
  for (const [text, message] of bad) {
    await expect(rows(text, 64 * 1024)).rejects.toThrow(message);
  }
});
