import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { importRows } from "../../../lib/build/from-rows.ts";
import { lsfReader } from "../../../lib/build/row-formats.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

/** Imports rows of path and size into a new folder, and says what is there then. */
async function imported(dir: string, content: string | Uint8Array, more: { stop?: AbortSignal } = {}) {
  const input = join(dir, "rows.csv");
  writeFileSync(input, content);
  const out = join(dir, "manifest.jsonl");
  const reported: number[] = [];
  const result = await importRows({
    runId: "20261122T081500Z_a1b2c3",
    sourceRoot: "src:b",
    destRoot: "/d",
    input,
    out,
    readRow: lsfReader("ps"),
    addressability: (key) => (key.startsWith("odd") ? "rclone cannot carry it" : undefined),
    onDuplicate: "remove one of the two rows",
    stop: new AbortController().signal,
    onProgress: ({ objects }) => reported.push(objects),
    ...more,
  });
  const lines = readFileSync(out, "utf8").trimEnd().split("\n");
  const records = lines.map((line) => JSON.parse(line) as { path: string; size: number; source: string });
  return { result, records, reported };
}

const names = (dir: string) => readdirSync(dir).sort();

test("objects are taken in the order of the rows; the rest is counted by its reason", async () => {
  using dir = temporaryDirectory();
  const rows = [
    "b,2",
    '"a, ""q"" \u{1f600}",1',
    "folder/,-1",
    "other/,-1",
    "marker/,0",
    "odd,5",
    "odd too,6",
  ];
  const { result, records, reported } = await imported(dir.path, `${rows.join("\r\n")}\r\n`);
  expect(records.map(({ path, size }) => [path, size])).toEqual([
    ["b", 2],
    ['a, "q" \u{1f600}', 1],
  ]);
  expect(records[1]?.source).toBe('src:b/a, "q" \u{1f600}');
  expect(result).toEqual({
    objects: 2,
    bytes: 3,
    leftOut: new Map([["directories", 2]]),
    markers: { objects: 1, first: "src:b/marker/" },
    untransferable: {
      objects: 2,
      bytes: 11,
      examples: [
        { key: "odd", size: 5, reason: "rclone cannot carry it" },
        { key: "odd too", size: 6, reason: "rclone cannot carry it" },
      ],
    },
  });
  expect(reported.at(-1)).toBe(2);
  expect(names(dir.path)).toEqual([
    "manifest.jsonl",
    "manifest.jsonl.progress",
    "manifest.untransferable.jsonl",
    "rows.csv",
  ]);
});

test("rows that gzip packed, in members after each other, are read as one", async () => {
  using dir = temporaryDirectory();
  const packed = Buffer.concat([gzipSync("a,1\nb,"), gzipSync("2\nc,3")]);
  const { records } = await imported(dir.path, packed);
  expect(records.map(({ path }) => path)).toEqual(["a", "b", "c"]);
});

test.each<[string, string | Uint8Array, string]>([
  ["a bad row after good ones", "a,1\nb,x\n", 'rows.csv:2: the size is no whole number: "x"'],
  ["a row that is no CSV", 'a,1\n"b,2\n', "rows.csv:2: "],
  ["a row that is no UTF-8", Buffer.from("a,1\n\xff,2\n", "latin1"), "rows.csv:2: not a CSV row: not UTF-8"],
  ["a field too many", "a,1\nb,2,3\n", "rows.csv:2: 3 fields, not 2"],
  [
    "a key twice",
    "a,1\nb,2\na,1\n",
    "rows.csv:3: the key is in line 1 already: a: remove one of the two rows",
  ],
  [
    "a key twice, after rows in quotes",
    '"x\ny/",-1\na,1\na,2\n',
    "rows.csv:4: the key is in line 3 already: a: ",
  ],
  ["nothing", "", "rows.csv: no object in it that is below src:b"],
  ["folders alone", "a/,-1\n", "rows.csv: no object in it that is below src:b"],
  [
    "nothing that can be carried",
    "odd,1\n",
    "rows.csv: no object in it can be transferred: odd: rclone cannot carry it",
  ],
  ["a torn gzip", gzipSync("a,1\nb,2\n").subarray(0, -6), "rows.csv: not whole, or not gzip"],
])("of %s no manifest is made", async (_, content, problem) => {
  using dir = temporaryDirectory();
  const error = await imported(dir.path, content).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining(problem) });
  expect(names(dir.path)).toEqual(["rows.csv"]);
});

test("an import that is stopped leaves nothing", async () => {
  using dir = temporaryDirectory();
  const stop = AbortSignal.abort("SIGINT");
  const error = await imported(dir.path, "a,1\n", { stop }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exitCode: 130, message: "stopped by SIGINT: no manifest was written" });
  expect(existsSync(join(dir.path, "manifest.jsonl"))).toBe(false);
});
