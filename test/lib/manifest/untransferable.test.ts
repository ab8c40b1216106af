import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  copyUntransferable,
  readUntransferable,
  UntransferableList,
  untransferablePath,
} from "../../../lib/manifest/untransferable.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

test.each([
  ["/run/manifest.jsonl", "/run/manifest.untransferable.jsonl"],
  ["m", "m.untransferable.jsonl"],
  ["a.jsonl.gz", "a.jsonl.gz.untransferable.jsonl"],
  ["a.jsonl.jsonl", "a.jsonl.untransferable.jsonl"],
])("the list of %s is %s", (manifest, list) => {
  expect(untransferablePath(manifest)).toBe(list);
});

const entries = [
  { key: 'a\n"\u{1f600}', size: 5, reason: "the path has a line break" },
  { key: "folder", size: null, reason: "permission denied" },
  { key: "b", size: 0, reason: "r" },
  { key: "c", size: Number.MAX_SAFE_INTEGER - 5, reason: "r" },
];

test("what is listed is read again: counts, known bytes and the first three", async () => {
  using dir = temporaryDirectory();
  const manifest = join(dir.path, "manifest.jsonl");
  const list = new UntransferableList(manifest);
  for (const entry of entries) list.add(entry);
  expect(existsSync(untransferablePath(manifest))).toBe(false);
  list.commit();
  const totals = { objects: 4, bytes: Number.MAX_SAFE_INTEGER, examples: entries.slice(0, 3) };
  expect(list.totals).toEqual(totals);
  expect(await readUntransferable(manifest)).toEqual(totals);
  expect(readFileSync(untransferablePath(manifest), "utf8")).toBe(
    entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
  );
});

test("nothing to list leaves no list, and takes away an earlier one; a list that is given up changes nothing", async () => {
  using dir = temporaryDirectory();
  const manifest = join(dir.path, "manifest.jsonl");
  const first = new UntransferableList(manifest);
  first.add({ key: "a", size: 1, reason: "r" });
  first.commit();
  const given = new UntransferableList(manifest);
  given.add({ key: "b", size: 1, reason: "r" });
  given.abort();
  expect(await readUntransferable(manifest)).toMatchObject({ objects: 1, bytes: 1 });
  new UntransferableList(manifest).commit();
  expect(readdirSync(dir.path)).toEqual([]);
  expect(await readUntransferable(manifest)).toEqual({ objects: 0, bytes: 0, examples: [] });
});

test.each<[string, string]>([
  ["torn", '{"key":"a","size":1,"rea'],
  ["empty", ""],
  ["without a key", '{"size":1,"reason":"r"}'],
  ["without a size", '{"key":"a","reason":"r"}'],
  ["with a negative size", '{"key":"a","size":-1,"reason":"r"}'],
  ["without a reason", '{"key":"a","size":1}'],
  ["that is no object", "[]"],
])("a line %s is told by its number", async (_, line) => {
  using dir = temporaryDirectory();
  const manifest = join(dir.path, "manifest.jsonl");
  writeFileSync(untransferablePath(manifest), `{"key":"a","size":null,"reason":"r","later":1}\n${line}\n`);
  await expect(readUntransferable(manifest)).rejects.toThrow(
    `${untransferablePath(manifest)}:2: not a line of key, size and reason`,
  );
});

test("a manifest that is made of another one gets its list, or none where that has none", () => {
  using dir = temporaryDirectory();
  const [from, to] = [join(dir.path, "from.jsonl"), join(dir.path, "to.jsonl")];
  writeFileSync(untransferablePath(from), "as it is");
  copyUntransferable(from, to);
  expect(readFileSync(untransferablePath(to), "utf8")).toBe("as it is");
  copyUntransferable(join(dir.path, "none.jsonl"), to);
  expect(existsSync(untransferablePath(to))).toBe(false);
});
