import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeManifest } from "../../../lib/build/write.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const origin = { runId: "20261122T081500Z_a1b2c3", sourceRoot: "src:b/set", destRoot: "dst:b" };

/** Writes a manifest of entries with these keys and sizes; keys with an "x" cannot be carried. */
function pendingOf(manifestPath: string, entries: readonly [string, number][]) {
  return writeManifest({
    source: async (each) => {
      for (const [Path, Size] of entries) each({ Path, Size });
    },
    manifestPath,
    origin,
    addressability: (key) => (key.includes("x") ? "it has an x" : undefined),
  });
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

test("what is excluded moves from the manifest to the list, and both appear when the check has passed", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  const pending = await pendingOf(path, [
    ["a", 1],
    ["bx", 2],
    ["c", 4],
  ]);
  await pending.exclude((key) => (key === "a" ? "not a" : undefined));
  pending.addUntransferable("folder", "cannot be listed");
  await pending.commitAfter(() => {
    expect(keysIn(pending.written())).toEqual(["c"]);
    expect(readdirSync(dir.path)).not.toContain("m.jsonl");
  });
  expect(pending.totals).toEqual({ objects: 1, bytes: 4 });
  expect(keysIn(path)).toEqual(["c"]);
  expect(keysIn(join(dir.path, "m.untransferable.jsonl"))).toEqual(["bx", "a", "folder"]);
});

test("a check that throws leaves what was there before, and a list only when it was committed", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  const refuse = () => {
    throw new Error("refused");
  };
  const first = await pendingOf(path, [["ax", 1]]);
  await expect(first.commitAfter(refuse)).rejects.toThrow("refused");
  expect(readdirSync(dir.path)).toEqual([]);
  writeFileSync(path, "earlier");
  const second = await pendingOf(path, [["ax", 1]]);
  const refused = second.commitAfter(() => {
    second.commitList();
    refuse();
  });
  await expect(refused).rejects.toThrow("refused");
  expect(readFileSync(path, "utf8")).toBe("earlier");
  expect(readdirSync(dir.path).sort()).toEqual(["m.jsonl", "m.untransferable.jsonl"]);
});
