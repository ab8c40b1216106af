import { expect, test } from "bun:test";
import { mapSideBySide } from "../../../lib/system/side-by-side.ts";

/** Items that end when the test says so. */
function gates(count: number) {
  const items = Array.from({ length: count }, () => Promise.withResolvers<string>());
  const started: number[] = [];
  const work = (item: number) => {
    started.push(item);
    return (items[item] as (typeof items)[number]).promise;
  };
  return { items, started, work, all: Array.from(items.keys()) };
}

/** Lets all that can go on go on. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test("results are in the order of the items, whatever ends first", async () => {
  const { items, work, all } = gates(4);
  const results = mapSideBySide(all, 4, work);
  for (const item of [2, 0, 3, 1]) {
    items[item]?.resolve(`result ${item}`);
    await settle();
  }
  expect(await results).toEqual(["result 0", "result 1", "result 2", "result 3"]);
});

test("no more than the limit are under way, and the next starts when one ends", async () => {
  const { items, started, work, all } = gates(5);
  const results = mapSideBySide(all, 2, work);
  await settle();
  expect(started).toEqual([0, 1]);
  items[1]?.resolve("b");
  await settle();
  expect(started).toEqual([0, 1, 2]);
  for (const { resolve } of items) resolve("x");
  expect(await results).toEqual(["x", "b", "x", "x", "x"]);
  expect(started).toEqual(all);
});

test.each([
  ["no item", 0, 3],
  ["one item", 1, 3],
  ["as many as the limit", 3, 3],
  ["one at a time", 4, 1],
])("%s: each is done once", async (_, count, limit) => {
  const done: number[] = [];
  const items = Array.from({ length: count }, (_, i) => i);
  const results = await mapSideBySide(items, limit, async (item) => {
    done.push(item);
    return -item;
  });
  expect(results).toEqual(items.map((item) => -item));
  expect(done).toEqual(items);
});

test("after a failure nothing more is started, and what is under way is waited for", async () => {
  const { items, started, work, all } = gates(6);
  let ended = false;
  const results = mapSideBySide(all, 3, work)
    .catch((error: unknown) => error)
    .finally(() => {
      ended = true;
    });
  await settle();
  items[1]?.reject(new Error("first"));
  await settle();
  expect(started).toEqual([0, 1, 2]);
  expect(ended).toBe(false);
  items[2]?.reject(new Error("second"));
  items[0]?.resolve("x");
  expect(await results).toMatchObject({ message: "first" });
  expect(started).toEqual([0, 1, 2]);
});

test("work that throws at once is a failure too", async () => {
  const failed = mapSideBySide([1], 1, () => {
    throw new Error("at once");
  });
  await expect(failed).rejects.toThrow("at once");
});
