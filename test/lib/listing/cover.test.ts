import { expect, test } from "bun:test";
import { Cover, type CoverPlace } from "../../../lib/listing/cover.ts";
import { seededRandom } from "../../data/fill.ts";

function coverOf(keys: readonly string[], placesMax: number): CoverPlace[] {
  const cover = new Cover(placesMax);
  for (const key of keys) cover.add(key);
  return cover.places();
}

/** Whether the listing of a place shows a key. */
function holds({ prefix, recursive }: CoverPlace, key: string): boolean {
  const below = prefix === "" ? key : key.startsWith(`${prefix}/`) ? key.slice(prefix.length + 1) : undefined;
  return below !== undefined && (recursive || !below.includes("/"));
}

test("every key is held by some place, and there are no more places than allowed", () => {
  const names = ["a", "b", "ab", "a b", "-", "r", "é", "x".repeat(30), "..."];
  for (let seed = 1; seed <= 400; seed++) {
    const random = seededRandom(seed);
    const pick = (n: number) => Math.floor(random() * n);
    const depth = 1 + pick(seed % 10 === 0 ? 20 : 5);
    const used = 1 + pick(names.length);
    const keys = Array.from({ length: 1 + pick(200) }, () =>
      Array.from({ length: 1 + pick(depth) }, () => names[pick(used)] ?? "a").join("/"),
    );
    const placesMax = 1 + pick(40);
    const places = coverOf(keys, placesMax);
    expect(places.length, `seed ${seed}`).toBeLessThanOrEqual(placesMax);
    const bare = keys.filter((key) => !places.some((place) => holds(place, key)));
    expect(bare, `seed ${seed}`).toEqual([]);
  }
});

test("places are as deep as their number allows", () => {
  const keys = ["top", "a/1", "a/deep/2", "a/deep/3", "b/4"];
  expect(coverOf(keys, 1)).toEqual([{ prefix: "", recursive: true }]);
  expect(coverOf(keys, 3)).toEqual([
    { prefix: "", recursive: false },
    { prefix: "a", recursive: true },
    { prefix: "b", recursive: true },
  ]);
  expect(coverOf(keys, 4)).toEqual([
    { prefix: "", recursive: false },
    { prefix: "a", recursive: false },
    { prefix: "a/deep", recursive: false },
    { prefix: "b", recursive: false },
  ]);
});

test("no keys: the root, or nothing", () => {
  expect(coverOf([], 5).length).toBeLessThanOrEqual(1);
});
