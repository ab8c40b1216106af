import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PartNote, PartStore, partsDirOf } from "../../../lib/listing/part-store.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const binding = { root: "src:b", flags: ["--fast-list"] };
const note: PartNote = {
  objects: 3,
  left_out: 1,
  first_left_out: "a/link",
  dropped: null,
  unlistable: [{ path: "", reason: "permission denied" }],
};

/** Keeps a part with this content. */
function keep(store: PartStore, kind: "tree" | "level", prefix: string, content = "[\n]\n") {
  const { file, keep: named } = store.start(kind, prefix);
  file.writeText(content);
  file.commit();
  return named(note);
}

test("parts are kept beside the output", () => {
  expect(partsDirOf("/run/manifest.jsonl")).toBe("/run/manifest.jsonl.parts");
});

test.each(["", "a", "a/b c", "\u{1f600}\n\u0001", "long".repeat(300), "../up", "a/"])(
  "a part is found by the next start, by its prefix and kind alone: %j",
  (prefix) => {
    using dir = temporaryDirectory();
    const store = PartStore.open(join(dir.path, "parts"), binding);
    expect(store.find("tree", prefix)).toBeUndefined();
    const kept = keep(store, "tree", prefix, '[\n{"Path":"x"}\n]\n');
    const again = PartStore.open(join(dir.path, "parts"), binding);
    expect(again.find("tree", prefix)).toMatchObject({ path: kept.path, prefix, note });
    expect(readFileSync(kept.path, "utf8")).toBe('[\n{"Path":"x"}\n]\n');
    expect(again.find("level", prefix)).toBeUndefined();
    expect(again.find("tree", `${prefix}x`)).toBeUndefined();
    expect(again.count).toBe(1);
    // Whatever the prefix is, nothing is written elsewhere.
    expect(readdirSync(dir.path)).toEqual(["parts"]);
  },
);

test("a part that was not listed to its end does not count", () => {
  using dir = temporaryDirectory();
  const store = PartStore.open(dir.path, binding);
  const { file, path } = store.start("tree", "a");
  file.writeText("[\n");
  expect(store.find("tree", "a")).toBeUndefined();
  file.commit();
  expect(existsSync(path)).toBe(true);
  expect(store.find("tree", "a")).toBeUndefined();
});

test("a part that is begun anew does not count until it is kept again", () => {
  using dir = temporaryDirectory();
  const store = PartStore.open(dir.path, binding);
  keep(store, "tree", "a");
  const { file } = store.start("tree", "a");
  expect(store.find("tree", "a")).toBeUndefined();
  file.abort();
  expect(store.find("tree", "a")).toBeUndefined();
});

test.each<[string, string | undefined]>([
  ["gone", undefined],
  ["empty", ""],
  ["torn", JSON.stringify({ schema: "xfer.part.v1", ...note }).slice(0, 30)],
  ["of another schema", JSON.stringify({ schema: "xfer.part.v2", ...note })],
  ["without a number", JSON.stringify({ schema: "xfer.part.v1", ...note, objects: undefined })],
])("a part whose note is %s does not count", (_, content) => {
  using dir = temporaryDirectory();
  const store = PartStore.open(dir.path, binding);
  const { path } = keep(store, "tree", "a");
  const notePath = path.replace(/\.json$/, ".note");
  if (content === undefined) unlinkSync(notePath);
  else writeFileSync(notePath, content);
  expect(store.find("tree", "a")).toBeUndefined();
});

test("a part without its listing, or with another prefix beside it, does not count", () => {
  using dir = temporaryDirectory();
  const store = PartStore.open(dir.path, binding);
  const one = keep(store, "tree", "a");
  writeFileSync(one.path.replace(/\.json$/, ".prefix"), "b");
  expect(store.find("tree", "a")).toBeUndefined();
  const other = keep(store, "tree", "c");
  unlinkSync(other.path);
  expect(store.find("tree", "c")).toBeUndefined();
});

test("a level of which something was dropped is known without a listing, and a note of an earlier build is read", () => {
  using dir = temporaryDirectory();
  const store = PartStore.open(dir.path, binding);
  const { path } = keep(store, "level", "a");
  const { unlistable, ...earlier } = note;
  writeFileSync(
    path.replace(/\.json$/, ".note"),
    JSON.stringify({ schema: "xfer.part.v1", ...earlier, dropped: "a//b" }),
  );
  unlinkSync(path);
  expect(store.find("level", "a")?.note).toMatchObject({ dropped: "a//b", unlistable: [] });
});

test("parts of another listing, and folders of something else, are not touched", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "parts");
  keep(PartStore.open(path, binding), "tree", "a");
  const before = readdirSync(path);
  expect(() => PartStore.open(path, { ...binding, flags: [] })).toThrow(
    `${path}: holds parts of another listing`,
  );
  expect(() => PartStore.open(path, { ...binding, more: true })).toThrow(
    expect.objectContaining({ exitCode: 2 }),
  );
  expect(readdirSync(path)).toEqual(before);
  const other = join(dir.path, "other");
  mkdirSync(other);
  writeFileSync(join(other, "lsjson-mine.json"), "[]");
  expect(() => PartStore.open(other, binding)).toThrow(`${other}: is no folder of parts that xfer made`);
  expect(readdirSync(other)).toEqual(["lsjson-mine.json"]);
});

test("what a killed start left is removed; a folder that it had only just made is taken", () => {
  using dir = temporaryDirectory();
  writeFileSync(join(dir.path, "listing.json.tmp.123"), "{");
  const store = PartStore.open(dir.path, binding);
  const { path } = keep(store, "tree", "a");
  writeFileSync(`${path}.tmp.4567`, "[");
  PartStore.open(dir.path, binding);
  expect(readdirSync(dir.path).filter((name) => name.includes(".tmp."))).toEqual([]);
  expect(store.find("tree", "a")).toBeDefined();
});

test("the folder goes with all that is in it", () => {
  using dir = temporaryDirectory();
  const store = PartStore.open(join(dir.path, "parts"), binding);
  keep(store, "level", "");
  store.remove();
  expect(existsSync(store.dir)).toBe(false);
});
