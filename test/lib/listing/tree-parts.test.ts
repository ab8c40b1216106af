import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compareUtf8, joinPrefix } from "../../../lib/listing/prefix.ts";
import { readTree } from "../../../lib/listing/read-tree.ts";
import { OutOfOrder, TreeParts } from "../../../lib/listing/tree-parts.ts";
import { AtomicFile } from "../../../lib/system/durable.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

/** A line as rclone prints it: Go writes `<`, `>` and `&` as escapes. */
function lineOf(path: string): string {
  const name = path.replace(/^.*\//s, "");
  const json = JSON.stringify({ Path: path, Name: name, Size: 7, ModTime: "", IsDir: false });
  return json.replaceAll(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

/** Parts whose keys are collected as they are finished. */
function collecting(dir: string, prefix = "") {
  const keys = new Map<string, string[]>();
  let files = 0;
  const parts = new TreeParts(
    prefix,
    () => new AtomicFile(join(dir, `${files++}`)),
    (below, file, objects) => {
      const written = file as AtomicFile;
      written.commit({ durable: false });
      const entries = JSON.parse(readFileSync(written.path, "utf8")) as { Path: string }[];
      expect(entries.length).toBe(objects);
      expect(keys.has(below)).toBe(false);
      keys.set(
        below,
        entries.map(({ Path }) => joinPrefix(below, Path)),
      );
    },
  );
  return { parts, keys, all: () => [...keys.values()].flat() };
}

/** All names directly below a prefix. */
function namesBelow(keys: readonly string[], prefix: string): string[] {
  const head = prefix === "" ? "" : `${prefix}/`;
  const rests = keys.filter((key) => key.startsWith(head)).map((key) => key.slice(head.length));
  return [...new Set(rests.filter((rest) => rest.includes("/")).map((rest) => rest.replace(/\/.*/s, "")))];
}

const take = (parts: TreeParts, path: string) => parts.take(Buffer.from(`${lineOf(path)},`));

test("whatever is divided and claimed when: every key is in one part, a level's own, or a claimed prefix", () => {
  using dir = temporaryDirectory();
  const random = seeded(7);
  const names = [
    "a",
    "a-b",
    "a b",
    'q"',
    "back\\slash",
    "<&>",
    "é",
    "😀",
    "\ue000",
    "x,y",
    '","Name":"',
    "z",
  ];
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  let divided = 0;
  let claims = 0;
  for (let round = 0; round < 200; round++) {
    const made = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const depth = Math.floor(random() * 4);
      made.add([...Array.from({ length: depth }, () => pick(names)), `${pick(names)}.${i % 5}`].join("/"));
    }
    const keys = [...made].sort(compareUtf8);
    const { parts, all } = collecting(dir.path);
    const levels: string[] = [];
    const claimed: string[] = [];
    let over = false;
    for (const key of keys) {
      if (!take(parts, key)) {
        over = true;
        break;
      }
      const prefix = parts.openPrefix;
      if (random() < 0.1 && prefix !== undefined && parts.next()) {
        parts.divide(namesBelow(keys, prefix));
        levels.push(prefix);
        divided++;
      }
      // From the far end: a level only when nothing is ahead in those above it.
      const level = parts.levels.find(({ ahead }) => ahead.length > 0);
      if (random() < 0.2 && level) {
        claimed.push(parts.claim(level));
        claims++;
      }
    }
    parts.finish();
    const left = parts.levels.flatMap((level) => level.ahead.map((name) => joinPrefix(level.prefix, name)));
    if (!over) expect(left).toEqual([]);
    const others = [...claimed, ...left].map((prefix) => `${prefix}/`);
    const ownOf = (level: string) => (key: string) => joinPrefix(level, key.replace(/^.*\//s, "")) === key;
    const found = [
      ...all(),
      ...levels.flatMap((level) => keys.filter(ownOf(level))),
      ...keys.filter((key) => others.some((other) => key.startsWith(other))),
    ];
    expect(found.sort()).toEqual([...keys].sort());
  }
  expect([divided > 100, claims > 100]).toEqual([true, true]);
});

test("sizes of prefixes are known before and after a level is divided", () => {
  using dir = temporaryDirectory();
  const { parts, keys } = collecting(dir.path);
  for (const path of ["a/1", "a/2", "a/3", "b/1", "c/1", "c/2"]) take(parts, path);
  expect(parts.next()).toEqual({ seen: 2, objects: 3, current: 2, ownShare: 0 });
  parts.divide(["a", "b", "c", "d", "e"]);
  const [level] = parts.levels;
  if (!level) throw new Error("it is not divided");
  expect([level.ahead, parts.objects, [...keys.keys()]]).toEqual([["d", "e"], 6, ["a", "b"]]);
  expect(parts.typicalObjects(level)).toBe(3);
  expect(parts.next()).toBeUndefined();
  const flat = collecting(dir.path).parts;
  for (const path of ["1", "2", "3", "a/1"]) take(flat, path);
  expect(flat.next()).toMatchObject({ current: 1, ownShare: 0.75 });
  take(parts, "cc");
  expect(level.sizes).toEqual([3, 1, 2]);
  expect(parts.claim(level)).toBe("e");
  expect(take(parts, "d/x/1")).toBe(true);
  expect(take(parts, "e/1")).toBe(false);
  expect([...keys.keys()]).toEqual(["a", "b", "c", "d"]);
});

test("a tree that is not listed in order is not divided, or found out when it was", () => {
  using dir = temporaryDirectory();
  const early = collecting(dir.path).parts;
  for (const path of ["b/1", "a/1"]) take(early, path);
  expect(early.next()).toBeUndefined();
  const { parts } = collecting(dir.path);
  take(parts, "a/1");
  parts.divide(["a", "b"]);
  take(parts, "b/1");
  expect(() => take(parts, "a/2")).toThrow(OutOfOrder);
  // Within a part, too: what it lists is in no order that the rest could be told by.
  const within = collecting(dir.path).parts;
  take(within, "a/1");
  within.divide(["a", "b"]);
  expect(() => take(within, "a/0")).toThrow(OutOfOrder);
});

test("a prefix that comes back under a name that rclone shows otherwise is found out by its name", () => {
  using dir = temporaryDirectory();
  const { parts } = collecting(dir.path);
  for (const path of ["\u00e9/1", "b/1"]) take(parts, path);
  parts.divide(["\u00e9", "b"]);
  expect(() => take(parts, "\u00e9/2")).toThrow(OutOfOrder);
});

test("what rclone shows otherwise than the store has it says nothing of the order", () => {
  using dir = temporaryDirectory();
  const { parts } = collecting(dir.path);
  for (const path of ["\u240a/1", "a/1", 'q"/1', "q#/1", "r<1", "r=1", "z/1"]) take(parts, path);
  expect(parts.next()).toMatchObject({ current: 1 });
});

test.each([
  ["no closing bracket", `[\n${lineOf("a")},\n`, { closed: false, isOver: false }],
  ["whole", `[\n${lineOf("a")},\n${lineOf("b/c")}\n]\n`, { closed: true, isOver: false }],
  ["nothing in it", "[\n\n]\n", { closed: true, isOver: false }],
])("a listing: %s", async (_what, text, end) => {
  using dir = temporaryDirectory();
  const { parts } = collecting(dir.path);
  expect(await readTree(chunks(text), parts, () => {})).toEqual(end);
  parts.finish();
});

test.each([
  ["cut in a line", '[\n{"Path":"a","Na'],
  ["not a listing", "AccessDenied\n"],
  ["two arrays", `[\n${lineOf("a")}\n]\n[\n]\n`],
  ["another object", '[\n{"path":"a"},\n'],
])("no listing: %s", async (_what, text) => {
  using dir = temporaryDirectory();
  const { parts } = collecting(dir.path);
  expect(readTree(chunks(text), parts, () => {})).rejects.toThrow(/the listing/);
  parts.abort();
});

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += 5) yield Buffer.from(text.slice(at, at + 5));
}

function seeded(seed: number): () => number {
  let drawn = 0;
  return () => Bun.hash.xxHash32(String(drawn++), seed) / 2 ** 32;
}
