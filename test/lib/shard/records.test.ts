import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkShardDigest, ShardRecords } from "../../../lib/shard/records.ts";
import { AtomicFile } from "../../../lib/system/durable.ts";
import { XferError } from "../../../lib/system/errors.ts";
import { awkwardNames, escapedLine, recordLine, recordOf } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const keys = ["a", "a/b", "dir/c", ...awkwardNames];

/** Reads a shard with this content. */
function read(dir: string, content: string, count: number) {
  const path = join(dir, "shard_000000.jsonl");
  writeFileSync(path, content);
  return ShardRecords.read(path, count);
}

const lineOf = (path: string, size: number, line = recordLine) => line({ path, size });

test.each([
  ["as they are", recordLine],
  ["escaped", escapedLine],
])("records are found by key and told by index, of lines written %s", async (_, line) => {
  using dir = temporaryDirectory();
  const records = await read(dir.path, keys.map((key, i) => lineOf(key, i * 10, line)).join(""), keys.length);
  expect(records.count).toBe(keys.length);
  expect(records.bytes).toBe((10 * keys.length * (keys.length - 1)) / 2);
  expect(records.largestBytes).toBe(10 * (keys.length - 1));
  expect(records.roots).toMatchObject({ source_root: "src:bucket/set", dest_root: "dst:bucket/set" });
  expect(keys.map((key) => records.indexOf(key))).toEqual([...keys.keys()]);
  expect(records.sizeOf(3)).toBe(30);
  expect(records.sizeOf(keys.length)).toBe(0);
  for (const other of ["", "b", "a/", "dir", "dir/c ", "A", "\u{1f600}"])
    expect(records.indexOf(other)).toBe(-1);
});

test("an empty shard has no record and no roots", async () => {
  using dir = temporaryDirectory();
  const records = await read(dir.path, "", 0);
  expect(records).toMatchObject({ count: 0, bytes: 0, largestBytes: 0, roots: undefined });
  expect(records.indexOf("a")).toBe(-1);
});

test("many records are found each, and no other", async () => {
  using dir = temporaryDirectory();
  const count = 20_000;
  const path = (i: number) => `set/${i % 7}/object-${i}`;
  const records = await read(
    dir.path,
    Array.from({ length: count }, (_, i) => lineOf(path(i), 1)).join(""),
    count,
  );
  for (let i = 0; i < count; i++) {
    if (records.indexOf(path(i)) !== i) throw new Error(`${path(i)} was not found`);
    if (records.indexOf(`${path(i)}x`) !== -1) throw new Error(`${path(i)}x was found`);
  }
});

test.each<[string, string, number, string]>([
  ["fewer records than are described", lineOf("a", 1), 2, "has 1 records, not 2: shard the manifest again"],
  ["more records than are described", lineOf("a", 1) + lineOf("b", 1), 1, "has 2 records, not 1"],
  [
    "far more records than are described",
    Array.from({ length: 50 }, (_, i) => lineOf(`k${i}`, 1)).join(""),
    1,
    "has 50 records, not 1",
  ],
  ["records where none are described", lineOf("a", 1), 0, "has 1 records, not 0"],
  ["a torn line", lineOf("a", 1) + lineOf("b", 1).slice(0, 50), 2, "shard_000000.jsonl:2: "],
  ["a key twice", lineOf("a", 1) + lineOf("b", 1) + lineOf("a", 2), 3, "a"],
  [
    "a key twice, written in two ways",
    lineOf("\u00fc<", 1) + lineOf("b", 1) + escapedLine({ path: "\u00fc<", size: 1 }),
    3,
    "shard_000000.jsonl:3: ",
  ],
  [
    "records of two sources",
    `${lineOf("a", 1)}${JSON.stringify({ ...recordOf({ path: "b", size: 1 }), source_root: "other:" })}\n`,
    2,
    "shard_000000.jsonl:2: ",
  ],
])("a shard with %s is refused", async (_, content, count, problem) => {
  using dir = temporaryDirectory();
  const error = await read(dir.path, content, count).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(XferError);
  const { exitCode, message } = error as XferError;
  expect(exitCode).toBe(2);
  expect(message).toContain("shard_000000.jsonl");
  expect(message).toContain(problem);
});

test("the keys that are wanted are written as they are, a line each, in order", async () => {
  using dir = temporaryDirectory();
  for (const line of [recordLine, escapedLine]) {
    const records = await read(dir.path, keys.map((key, i) => lineOf(key, i, line)).join(""), keys.length);
    const file = new AtomicFile(join(dir.path, "keys"));
    const written = await records.writeKeys(file, (index) => index % 2 === 1);
    file.commit();
    const wanted = keys.filter((_, i) => i % 2 === 1);
    expect(readFileSync(join(dir.path, "keys"), "utf8")).toBe(wanted.map((key) => `${key}\n`).join(""));
    expect(written).toEqual({
      objects: wanted.length,
      bytes: keys.reduce((sum, _, i) => sum + (i % 2 === 1 ? i : 0), 0),
    });
  }
});

test("the records that are wanted are given with their MD5, where they have one", async () => {
  using dir = temporaryDirectory();
  const md5 = "d41d8cd98f00b204e9800998ecf8427e";
  const hashed = (path: string, hashes: object | null) =>
    `${JSON.stringify({ ...recordOf({ path, size: 1 }), hashes })}\n`;
  const content =
    hashed("a", { md5 }) + hashed("b", {}) + hashed("c", null) + hashed('d"', { md5, sha1: "x" });
  const records = await read(dir.path, content, 4);
  const found: [string, string | undefined][] = [];
  await records.eachWhere(
    (index) => index !== 1,
    (record) => found.push([record.key, record.md5()]),
  );
  expect(found).toEqual([
    ["a", md5],
    ["c", undefined],
    ['d"', md5],
  ]);
});

test("the records that are wanted come in batches that are waited for", async () => {
  using dir = temporaryDirectory();
  const count = 20_000;
  // Short lines, so that as many as can be are read at a time.
  const lines = Array.from({ length: count }, (_, i) => {
    const roots = { source_root: "a:", dest_root: "b:", source: `a:k${i}`, dest: `b:k${i}` };
    const nothing = { mtime: null, hashes: null, meta: null };
    return `${JSON.stringify({ ...recordOf({ path: `k${i}`, size: 1 }), run_id: "r", ...roots, ...nothing })}\n`;
  });
  const records = await read(dir.path, lines.join(""), count);
  const found: string[] = [];
  const sizes: number[] = [];
  let open = 0;
  await records.inBatches(
    (index) => index !== 7,
    async (batch) => {
      expect(++open).toBe(1);
      sizes.push(batch.length);
      await new Promise((resolve) => setImmediate(resolve));
      found.push(...batch.map(({ key }) => key));
      open--;
    },
  );
  expect(found).toEqual(Array.from({ length: count }, (_, i) => `k${i}`).filter((key) => key !== "k7"));
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(4_096);
});

test("a shard file is told from another by its digest", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "shard_000000.jsonl");
  writeFileSync(path, "abc");
  // sha256sum of abc.
  const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  await checkShardDigest(path, digest);
  await expect(checkShardDigest(path, "0".repeat(64))).rejects.toMatchObject({
    exitCode: 2,
    message: `${path}: does not match its digest in shards.meta.json (ba7816bf8f01..., recorded 000000000000...): shard the manifest again`,
  });
  await expect(checkShardDigest(join(dir.path, "none"), digest)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining("none: no such shard: shard the manifest again"),
  });
});
