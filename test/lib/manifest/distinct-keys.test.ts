import { describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BatchScanner, keyText, type RecordBatch } from "../../../lib/manifest/batch.ts";
import { DistinctKeys, findDuplicateKeys, findFirstDuplicate } from "../../../lib/manifest/distinct-keys.ts";
import { seededRandom } from "../../data/fill.ts";
import { awkwardNames, escapedLine, recordLine } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

/** A reader of lines in batches of so many, whose buffer is used again as that of a file is. */
function readerOf(lines: readonly string[], perBatch: number) {
  return async (each: (batch: RecordBatch) => void) => {
    const scanner = new BatchScanner("m");
    const bytes = Buffer.alloc(1 << 20);
    for (let at = 0; at < lines.length; at += perBatch) {
      const end = bytes.write(lines.slice(at, at + perBatch).join(""));
      each(scanner.scan({ bytes, start: 0, end, firstLine: at + 1 }));
    }
  };
}

/** A hash under which nearly all keys are equal. */
class WeakHash {
  low = 0;
  high = 0;
  ofRow(batch: RecordBatch, row: number): void {
    this.low = keyText(batch, row).length % 2;
  }
}

type Choice = ConstructorParameters<typeof DistinctKeys>[1];

async function examine(lines: readonly string[], options: { perBatch?: number; choice?: Choice } = {}) {
  using dir = temporaryDirectory();
  const read = readerOf(lines, options.perBatch ?? 1000);
  using keys = new DistinctKeys(dir.path, options.choice);
  await read((batch) => keys.add(batch));
  const { lines: found, isPart } = await keys.duplicates(read);
  expect(readdirSync(dir.path)).toEqual([]);
  return { proven: keys.isProven, found: Object.fromEntries(found), isPart };
}

const line = (path: string) => recordLine({ path, size: 1 });
const lines = (...paths: string[]) => paths.map(line);

describe("an order that proves keys distinct, so that none is hashed", () => {
  const proven: [string, string[]][] = [
    ["one key", ["a"]],
    ["the order of S3: by bytes", ["a", "a/b", "a/b/c", "a/b0", "a/c", "b", "\uff5e", "\u{1f600}"]],
    [
      "a walk: directories one after the other, each in order",
      ["b", "z", "d/1", "d/2", "a/1", "a/9", "a/b/1"],
    ],
    ["parts: the root's own objects, then each prefix", ["z", "a/1", "a/b/1", "a/c", "b/1", "b/b/2", "b/c"]],
    ["the same names in other directories", ["z/x", "y/x", "x/x", "x/x/x", "w/x"]],
    ["escaped keys in order", ['a"1', 'a"2', "a\\1", "a\\2"]],
  ];
  test.each(proven)("%s", async (_, paths) => {
    for (const perBatch of [1, 2, 1000]) {
      for (const lineOf of [recordLine, escapedLine]) {
        const written = paths.map((path) => lineOf({ path, size: 1 }));
        expect(await examine(written, { perBatch })).toEqual({ proven: true, found: {}, isPart: false });
      }
    }
  });

  const unproven: [string, string[]][] = [
    ["a directory that is not in order", ["d/2", "d/1"]],
    ["a directory that comes again below another one", ["d/2", "e/1", "a/1", "d/1", "d/3"]],
  ];
  test.each(unproven)("none: %s", async (_, paths) => {
    expect(await examine(lines(...paths))).toEqual({ proven: false, found: {}, isPart: false });
  });
});

describe("a key that is there twice is found with its lines", () => {
  const rows: [string, string[], Record<string, number[]>][] = [
    ["next to each other", lines("a", "b", "b", "c"), { b: [2, 3] }],
    ["first and last", lines("a", "b/1", "b/2", "a"), { a: [1, 4] }],
    ["only these", lines("a", "a"), { a: [1, 2] }],
    ["three times, and another one", lines("x", "y", "x", "z", "x", "y"), { x: [1, 3, 5], y: [2, 6] }],
    ["after a long order", [...lines("a/1", "a/2", "b/1", "b/2", "c/1"), line("a/2")], { "a/2": [2, 6] }],
    ["in two ways to write it", [line("é"), line("f"), escapedLine({ path: "é", size: 9 })], { é: [1, 3] }],
    [
      "in two ways to write it, next to each other",
      [line("é/\u{1f600}"), escapedLine({ path: "é/\u{1f600}", size: 9 })],
      { "é/\u{1f600}": [1, 2] },
    ],
    ["with an escape", lines('q"1', "b", 'q"1'), { 'q"1': [1, 3] }],
    [
      "a slash that is escaped",
      [line("a/b"), line("z"), line("a/b").replaceAll("a/b", "a\\/b")],
      { "a/b": [1, 3] },
    ],
    [
      "halves of surrogate pairs: rclone is given U+FFFD for each",
      [line("k\ud800"), line("a"), line("k\udc00"), line("b")],
      { "k\ufffd": [1, 3] },
    ],
  ];
  test.each(rows)("%s", async (_, written, found) => {
    for (const perBatch of [1, 2, 1000]) {
      expect(await examine(written, { perBatch })).toEqual({ proven: false, found, isPart: false });
      const choice = { hash: new WeakHash(), limits: { bufferWords: 2, comparedMax: 2 } };
      expect((await examine(written, { perBatch, choice })).found).toEqual(found);
    }
  });
});

test("keys that differ only a little, or where an escape begins, are no duplicates", async () => {
  const paths = [
    ...awkwardNames,
    "a",
    "a ",
    " a",
    "a\\",
    "a\\\\",
    "a\\b",
    "ab",
    "A",
    "e\u0301",
    "\u00e9",
    "\\u00e9",
  ];
  for (const lineOf of [recordLine, escapedLine]) {
    const written = [...paths].reverse().map((path) => lineOf({ path, size: 1 }));
    for (const perBatch of [1, 1000]) expect((await examine(written, { perBatch })).found).toEqual({});
  }
});

test("a collision of hashes refuses no honest manifest and hides no duplicate", async () => {
  const paths = Array.from({ length: 3000 }, (_, i) => `k${(i * 7919) % 3000}`);
  const choice = { hash: new WeakHash() };
  expect((await examine(lines(...paths), { choice })).found).toEqual({});
  expect((await examine(lines(...paths, "k7"), { choice })).found).toEqual({
    k7: [paths.indexOf("k7") + 1, 3001],
  });
});

test("random manifests: exactly the keys that a map finds, whatever the order, the hash and the memory", async () => {
  const random = seededRandom(20261125);
  const below = (most: number) => Math.floor(random() * most);
  const letters = ["a", "b", "/", "é", "\\", '"', "\u{1f600}", "."];
  const orders: ((paths: string[]) => string[])[] = [
    (paths) => paths,
    (paths) => paths.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    (paths) => paths.sort(),
    // By directory, in the order of their hashes; in each by bytes.
    (paths) => {
      const dirOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);
      const rank = (path: string) => Bun.hash.crc32(dirOf(path));
      return paths.sort((a, b) => rank(a) - rank(b) || Buffer.compare(Buffer.from(a), Buffer.from(b)));
    },
  ];
  let provenTimes = 0;
  let foundTimes = 0;
  for (let round = 0; round < 1500; round++) {
    const paths = Array.from({ length: 1 + below(30) }, () => {
      const text = Array.from({ length: 1 + below(6) }, () => letters[below(letters.length)]).join("");
      return `k${text}`.replaceAll("..", "x");
    });
    const distinct = round % 2 === 0 ? [...new Set(paths)] : paths;
    const ordered = orders[below(orders.length)]?.(distinct) ?? distinct;
    const written = ordered.map((path) =>
      (random() < 0.5 ? recordLine : escapedLine)({ path, size: below(99) }),
    );
    const expected = new Map<string, number[]>();
    for (const [i, path] of ordered.entries()) expected.set(path, [...(expected.get(path) ?? []), i + 1]);
    for (const [path, at] of expected) if (at.length < 2) expected.delete(path);
    const choice = [{}, { hash: new WeakHash() }, { limits: { bufferWords: 2, comparedMax: 1 } }][below(3)];
    const { found, proven } = await examine(written, { perBatch: 1 + below(8), choice });
    expect(found).toEqual(Object.fromEntries(expected));
    if (proven) provenTimes++;
    if (expected.size > 0) foundTimes++;
  }
  expect(provenTimes).toBeGreaterThan(100);
  expect(foundTimes).toBeGreaterThan(200);
});

test("more than fits into memory goes to a file that nobody sees and that is gone afterwards", async () => {
  const paths = Array.from({ length: 20_000 }, (_, i) => `k${(i * 7919) % 20_000}`);
  const limits = { bufferWords: 16, comparedMax: 50 };
  const twice = [...paths, ...paths.slice(500, 503)];
  const { found } = await examine(lines(...twice), { choice: { limits } });
  expect(found).toEqual({
    [paths[500] ?? ""]: [501, 20_001],
    [paths[501] ?? ""]: [502, 20_002],
    [paths[502] ?? ""]: [503, 20_003],
  });
});

test("of very many duplicates some are told, and that there are more", async () => {
  const paths = Array.from({ length: 30_000 }, (_, i) => `k${(i * 7919) % 15_000}`);
  const many = await examine(lines(...paths));
  expect(many.isPart).toBe(true);
  expect(Object.keys(many.found).length).toBeGreaterThan(0);
  const same = await examine(lines(...Array.from({ length: 30_000 }, () => "k")));
  expect(same.isPart).toBe(true);
  expect(same.found.k?.slice(0, 3)).toEqual([1, 2, 3]);
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  writeFileSync(path, lines(...paths).join(""));
  expect(findDuplicateKeys(path)).rejects.toThrow(
    /more than 10,000 keys are listed more than once, such as k\d+:/,
  );
});

test("of a manifest on disk: all duplicates, or the first", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  writeFileSync(path, lines("b", "a", "c", "a", "b", "a").join(""));
  expect(Object.fromEntries(await findDuplicateKeys(path))).toEqual({ a: [2, 4, 6], b: [1, 5] });
  expect(await findFirstDuplicate(path)).toEqual({ key: "a", line: 2, again: 4 });
  writeFileSync(path, lines("b", "a", "c").join(""));
  expect((await findDuplicateKeys(path)).size).toBe(0);
  expect(await findFirstDuplicate(path)).toBeUndefined();
});
