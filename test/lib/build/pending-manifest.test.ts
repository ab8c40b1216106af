import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PendingManifest } from "../../../lib/build/write.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const origin = { runId: "20261122T081500Z_a1b2c3", sourceRoot: "src:b/set", destRoot: "dst:b" };

/** Fills a manifest with entries of these keys and sizes; keys with an "x" cannot be carried. */
async function pendingOf(
  manifestPath: string,
  entries: readonly (readonly [string, number])[],
): Promise<PendingManifest> {
  const pending = PendingManifest.begin({
    manifestPath,
    origin,
    addressability: (key) => (key.includes("x") ? "it has an x" : undefined),
  });
  const fill = async () => {
    for (const [Path, Size] of entries) pending.take({ Path, Size });
  };
  await pending.filledBy(fill());
  return pending;
}

const keysIn = (path: string) =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map(({ path: key, key: listed }) => key ?? listed);

test.each([
  ["a", 1, "record"],
  ["a/", 0, "marker"],
  ["a/", 5, "list"],
  ["ax", 5, "list"],
  ["a", -1, "list"],
  ["../a", 5, "list"],
  ["a\ud800", 5, "list"],
] as const)("an entry %j of %d bytes goes to the %s", async (key, size, where) => {
  using dir = temporaryDirectory();
  const pending = await pendingOf(join(dir.path, "m.jsonl"), [[key, size]]);
  expect([pending.totals.objects, pending.markers.objects, pending.untransferable.objects]).toEqual(
    ["record", "marker", "list"].map((one) => (one === where ? 1 : 0)),
  );
  pending.abort();
  expect(readdirSync(dir.path)).toEqual([]);
});

test("what is excluded moves from the manifest to the list, and both appear when they are committed", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  const pending = await pendingOf(path, [
    ["a", 1],
    ["bx", 2],
    ["c", 4],
  ]);
  await pending.exclude((key) => (key === "a" ? "not a" : undefined));
  pending.addUntransferable("folder", "cannot be listed");
  expect(keysIn(pending.written())).toEqual(["c"]);
  expect(readdirSync(dir.path)).not.toContain("m.jsonl");
  pending.commit();
  expect(pending.totals).toEqual({ objects: 1, bytes: 4 });
  expect(keysIn(path)).toEqual(["c"]);
  expect(keysIn(join(dir.path, "m.untransferable.jsonl"))).toEqual(["bx", "a", "folder"]);
});

test("a check that throws leaves what was there before, and a list only when it was committed", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  const refused = async (before: () => void = () => {}) => {
    before();
    throw new Error("refused");
  };
  const first = await pendingOf(path, [["ax", 1]]);
  await expect(first.orAbort(refused())).rejects.toThrow("refused");
  expect(readdirSync(dir.path)).toEqual([]);
  writeFileSync(path, "earlier");
  const second = await pendingOf(path, [["ax", 1]]);
  await expect(second.orAbort(refused(() => second.commitList()))).rejects.toThrow("refused");
  expect(readFileSync(path, "utf8")).toBe("earlier");
  expect(readdirSync(dir.path).sort()).toEqual(["m.jsonl", "m.untransferable.jsonl"]);
});

test("a source that fails leaves neither manifest nor list nor progress", async () => {
  using dir = temporaryDirectory();
  const reported: number[] = [];
  const pending = PendingManifest.begin({
    manifestPath: join(dir.path, "m.jsonl"),
    origin,
    addressability: () => undefined,
    onProgress: ({ objects }) => reported.push(objects),
  });
  expect(readdirSync(dir.path)).toContain("m.jsonl.progress");
  const fill = async () => {
    pending.take({ Path: "a", Size: 1 });
    throw new Error("cut off");
  };
  await expect(pending.filledBy(fill())).rejects.toThrow("cut off");
  expect(readdirSync(dir.path)).toEqual([]);
  expect(reported).toEqual([0]);
});
