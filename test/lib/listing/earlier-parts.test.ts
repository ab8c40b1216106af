import { expect, test } from "bun:test";
import { join } from "node:path";
import { planListing } from "../../../lib/listing/earlier-parts.ts";
import { PartStore } from "../../../lib/listing/part-store.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const rules = { listers: 4, pageObjects: 1000, atOnce: false };
const noted = { left_out: 0, first_left_out: null, dropped: null, unlistable: [] };

/** A store with whole trees of so many objects, and levels with these names below them. */
function storeOf(dir: string, trees: Record<string, number>, levels: Record<string, string[]>): PartStore {
  const store = PartStore.open(join(dir, "parts"), { source_root: "src:b" });
  for (const [prefix, objects] of Object.entries(trees)) {
    const { file, keep } = store.start("tree", prefix);
    file.writeText("[\n]\n");
    file.commit();
    keep({ ...noted, objects });
  }
  for (const [prefix, names] of Object.entries(levels)) {
    const { file, keep } = store.start("level", prefix);
    const lines = names.map((Path) => JSON.stringify({ Path, Size: -1, IsDir: true }));
    file.writeText(`[\n${lines.join(",\n")}\n]\n`);
    file.commit();
    keep({ ...noted, objects: 0 });
  }
  return store;
}

test.each<[string, Record<string, number>, Record<string, string[]>, boolean, string[], string[]]>([
  ["nothing", {}, {}, true, [], [""]],
  ["the whole", { "": 5 }, {}, true, [""], []],
  ["a level, and a large part of it", { a: 5000 }, { "": ["a", "b", "c"] }, true, ["", "a"], ["b", "c"]],
  ["a level, and nothing of it", {}, { "": ["a", "b"] }, true, [], [""]],
  ["parts of a listing that is not divided any more", { a: 5000 }, { "": ["a", "b"] }, false, [], [""]],
  ["a level with a name that cannot be listed", { a: 5000 }, { "": ["a", ".."] }, true, [], [""]],
  ["levels below each other", { "a/x": 5000 }, { "": ["a"], a: ["x", "y"] }, true, ["", "a", "a/x"], ["a/y"]],
  [
    "many small parts, of which few are listed",
    { p0: 1 },
    { "": Array.from({ length: 2000 }, (_, i) => `p${i}`) },
    true,
    [],
    [""],
  ],
])("of an earlier try there is %s", async (_, trees, levels, isDivisible, kept, waiting) => {
  using dir = temporaryDirectory();
  const plan = await planListing(storeOf(dir.path, trees, levels), rules, isDivisible);
  expect(plan.kept.map(({ prefix }) => prefix)).toEqual(kept);
  expect(plan.waiting).toEqual(waiting);
});
