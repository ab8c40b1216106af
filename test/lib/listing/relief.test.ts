import { expect, test } from "bun:test";
import { type ReliefRules, reliefOf, staysDivided, type TreeView } from "../../../lib/listing/relief.ts";

const rules: ReliefRules = { listers: 8, pageObjects: 1_000, atOnce: false };
/** A listing of a store that takes 50 ms a request, after 2 s. */
const slow: TreeView = {
  ...{ listedMs: 2_000, startMs: 70, paceMs: 80, objects: 25_000 },
  ...{ levels: [], next: { seen: 12, objects: 2_000, current: 500, ownShare: 0 } },
};
const quick: TreeView = { ...slow, paceMs: 30, startMs: 50 };
const look = { do: "look" } as const;
const claim = (level: number) => ({ do: "claim", level }) as const;

test.each<[what: string, view: TreeView, relief: ReturnType<typeof reliefOf>]>([
  ["nothing has come yet", { ...slow, listedMs: undefined }, undefined],
  ["it may soon be over", { ...quick, listedMs: 900, paceMs: 30 }, undefined],
  ["a slow store is not waited for as long", { ...slow, listedMs: 500 }, look],
  ["a slow store may be over too", { ...slow, listedMs: 300 }, undefined],
  ["prefixes of two pages that wait", slow, look],
  ["prefixes of two pages that do not wait", quick, undefined],
  [
    "large prefixes that do not wait",
    { ...quick, next: { seen: 3, objects: 9_000, current: 1, ownShare: 0 } },
    look,
  ],
  ["small prefixes", { ...slow, next: { seen: 300, objects: 50, current: 20, ownShare: 0 } }, undefined],
  [
    "a large prefix after few small ones",
    { ...slow, next: { seen: 20, objects: 50, current: 8_000, ownShare: 0 } },
    look,
  ],
  [
    "a large prefix after many small ones",
    { ...slow, next: { seen: 90, objects: 50, current: 8_000, ownShare: 0 } },
    undefined,
  ],
  [
    "many objects of the level's own",
    { ...slow, next: { seen: 3, objects: 9_000, current: 1, ownShare: 0.5 } },
    undefined,
  ],
  [
    "a large prefix after small ones that are few beside it",
    { ...slow, objects: 900_000, next: { seen: 90, objects: 50, current: 800_000, ownShare: 0 } },
    look,
  ],
  ["a flat prefix", { ...slow, next: undefined }, undefined],
  ["a container that takes long to start", { ...slow, startMs: 3_000 }, undefined],
  [
    "a container, and prefixes that take longer",
    { ...slow, startMs: 3_000, next: { seen: 2, objects: 90_000, current: 9, ownShare: 0 } },
    look,
  ],
  [
    "a level with large prefixes ahead",
    { ...slow, levels: [{ ahead: 40, objects: 2_000, isProbed: false }] },
    claim(0),
  ],
  [
    "a level of which no size is known, and one is listed",
    { ...slow, levels: [{ ahead: 40, objects: 90_000, isProbed: true }] },
    claim(0),
  ],
  [
    "the same of a quick store",
    { ...quick, levels: [{ ahead: 40, objects: 90_000, isProbed: true }] },
    undefined,
  ],
  [
    "it is reached before a helper starts",
    { ...quick, levels: [{ ahead: 1, objects: 2_500, isProbed: false }] },
    undefined,
  ],
  [
    "a level with many small prefixes ahead",
    { ...slow, levels: [{ ahead: 40, objects: 500, isProbed: false }] },
    undefined,
  ],
  [
    "a level with few small prefixes ahead, and large ones below",
    {
      ...slow,
      levels: [
        { ahead: 13, objects: 500, isProbed: false },
        { ahead: 9, objects: 2_250, isProbed: false },
      ],
    },
    claim(1),
  ],
  [
    "a level with nothing ahead, and large prefixes below",
    { ...slow, levels: [{ ahead: 0, objects: 9_000, isProbed: false }] },
    look,
  ],
])("%s", (_what, view, relief) => {
  expect(reliefOf(view, rules)).toEqual(relief);
});

test("at once asks for no more than a prefix to be in", () => {
  const early = { ...quick, listedMs: 0, next: { seen: 0, objects: 1, current: 1, ownShare: 0 } };
  expect(reliefOf(early, { ...rules, atOnce: true })).toEqual(look);
  expect(reliefOf({ ...early, next: undefined }, { ...rules, atOnce: true })).toBeUndefined();
});

test("a smaller page makes smaller prefixes worth a start", () => {
  const view: TreeView = { ...slow, paceMs: 600, next: { seen: 3, objects: 250, current: 1, ownShare: 0 } };
  expect(reliefOf(view, rules)).toBeUndefined();
  expect(reliefOf(view, { ...rules, pageObjects: 100 })).toEqual(look);
});

test.each([
  ["nothing is kept", 3, [], false],
  ["large prefixes are kept", 900, [9_000, 2_000, 10], true],
  ["small prefixes are kept, few wait", 32, [10, 10], true],
  ["small prefixes are kept, many wait", 33, [10, 10, 90_000], false],
  ["small prefixes are kept, many wait beside far more", 33, [10, 10, 900_000], true],
  ["nothing waits", 0, [10], true],
])("what an earlier try divided: %s", (_what, waiting, kept, stays) => {
  expect(staysDivided(waiting, kept, rules)).toBe(stays);
});
