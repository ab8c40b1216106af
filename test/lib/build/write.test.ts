import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ManifestEntry } from "../../../lib/build/record-lines.ts";
import { PendingManifest } from "../../../lib/build/write.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

/** Writes these entries into a manifest that is yet to be committed. */
async function pendingOf(
  dir: string,
  entries: readonly ManifestEntry[],
  fails?: Error,
): Promise<PendingManifest> {
  const pending = PendingManifest.begin({
    manifestPath: join(dir, "manifest.jsonl"),
    origin: { runId: "r", sourceRoot: "src:b", destRoot: "/d" },
    addressability: (key) => (key === "odd" ? "rclone cannot carry it" : undefined),
  });
  const fill = async () => {
    for (const entry of entries) pending.take(entry);
    if (fails) throw fails;
  };
  await pending.filledBy(fill());
  return pending;
}

const object = (Path: string, Size = 1): ManifestEntry => ({ Path, Size, IsDir: false });
const names = (dir: string) => readdirSync(dir).sort();

function pathsIn(dir: string): string[] {
  const text = readFileSync(join(dir, "manifest.jsonl"), "utf8").trimEnd();
  return text === "" ? [] : text.split("\n").map((line) => (JSON.parse(line) as { path: string }).path);
}

function listIn(dir: string): unknown[] {
  const text = readFileSync(join(dir, "manifest.untransferable.jsonl"), "utf8").trimEnd();
  return text.split("\n").map((line) => JSON.parse(line) as unknown);
}

/** What an entry of each kind becomes: a record, nothing, a marker, or a line of the list with this reason. */
test.each<[string, ManifestEntry, string]>([
  ["an object", object("a"), "record"],
  ["an empty object", object("a", 0), "record"],
  ["the largest size", object("a", Number.MAX_SAFE_INTEGER), "record"],
  ["a name of four-byte letters", object("\u{1f600}/\u{10ffff}"), "record"],
  ["a name that JSON escapes", object('a"\\\t\u0001\u007f\u2028'), "record"],
  ["a folder", { ...object("a", -1), IsDir: true }, "nothing"],
  ["a folder with a slash", { ...object("a/", 0), IsDir: true }, "nothing"],
  ["a marker", object("a/", 0), "marker"],
  ["the root's marker", object("", 0), "marker"],
  ["a marker with content", object("a/", 3), "rclone copies no object whose key ends in a slash"],
  ["an unknown size", object("a", -1), "its size is not known (-1)"],
  ["half a byte", object("a", 1.5), "its size is not known (1.5)"],
  ["too large a size", object("a", 2 ** 53), "its size is not known (9007199254740992)"],
  ["a lone surrogate", object("a\ud800"), "its name is no UTF-8"],
  ["an absolute name", object("/a"), "the path is absolute"],
  ["a way up", object("a/../b"), "the path has a '..' component"],
  ["a line break", object("a\nb"), "the path has a line break or a NUL"],
  ["what rclone cannot carry", object("odd"), "rclone cannot carry it"],
])("%s", async (_, entry, becomes) => {
  using dir = temporaryDirectory();
  const pending = await pendingOf(dir.path, [entry]);
  pending.commit();
  const { totals, markers, untransferable } = pending;
  const isListed = !["record", "nothing", "marker"].includes(becomes);
  expect(pathsIn(dir.path)).toEqual(becomes === "record" ? [entry.Path] : []);
  expect(totals).toEqual(becomes === "record" ? { objects: 1, bytes: entry.Size } : { objects: 0, bytes: 0 });
  expect(markers.objects).toBe(becomes === "marker" ? 1 : 0);
  expect(untransferable.objects).toBe(isListed ? 1 : 0);
  expect(existsSync(join(dir.path, "manifest.untransferable.jsonl"))).toBe(isListed);
  if (!isListed) return;
  const size = Number.isSafeInteger(entry.Size) && entry.Size >= 0 ? entry.Size : null;
  expect(listIn(dir.path)).toEqual([{ key: entry.Path, size, reason: becomes }]);
});

test("a manifest has no name before it is committed, and its sidecar says what is in it", async () => {
  using dir = temporaryDirectory();
  const pending = await pendingOf(dir.path, [object("a", 2), object("b", 3)]);
  expect(existsSync(join(dir.path, "manifest.jsonl"))).toBe(false);
  expect(readFileSync(pending.written(), "utf8").split("\n")).toHaveLength(3);
  expect(readFileSync(join(dir.path, "manifest.jsonl.progress"), "utf8")).toBe(
    '{"files_listed":2,"bytes_listed":5}\n',
  );
  pending.commit();
  expect(names(dir.path)).toEqual(["manifest.jsonl", "manifest.jsonl.progress"]);
});

test("of a source that fails, and of what is given up, nothing is left", async () => {
  using dir = temporaryDirectory();
  const entries = [object("a"), object("odd")];
  await expect(pendingOf(dir.path, entries, new Error("the lister died"))).rejects.toThrow("the lister died");
  const pending = await pendingOf(dir.path, entries);
  pending.abort();
  expect(names(dir.path)).toEqual([]);
});

test("records that turn out not to be carried move to the list, and the totals follow", async () => {
  using dir = temporaryDirectory();
  const pending = await pendingOf(dir.path, [
    object("a", 1),
    object("b", 20),
    object("c", 300),
    object("odd", 4_000),
  ]);
  await pending.exclude((key) => (key === "b" ? "this rclone does not carry it" : undefined));
  pending.addUntransferable("folder", "it could not be listed");
  expect(pending.totals).toEqual({ objects: 2, bytes: 301 });
  pending.commit();
  expect(pathsIn(dir.path)).toEqual(["a", "c"]);
  expect(listIn(dir.path)).toEqual([
    { key: "odd", size: 4_000, reason: "rclone cannot carry it" },
    { key: "b", size: 20, reason: "this rclone does not carry it" },
    { key: "folder", size: null, reason: "it could not be listed" },
  ]);
  expect(pending.untransferable).toMatchObject({ objects: 3, bytes: 4_020 });
  expect(names(dir.path)).toHaveLength(3);
});

test("an exclusion that fails leaves the manifest as it was", async () => {
  using dir = temporaryDirectory();
  const pending = await pendingOf(dir.path, [object("a"), object("b")]);
  const fails = () => {
    throw new Error("no");
  };
  await expect(pending.exclude(fails)).rejects.toThrow("no");
  expect(names(dir.path).filter((name) => name.endsWith(".kept"))).toEqual([]);
  await pending.exclude(() => undefined);
  pending.commit();
  expect(pathsIn(dir.path)).toEqual(["a", "b"]);
  expect(names(dir.path)).toEqual(["manifest.jsonl", "manifest.jsonl.progress"]);
});

test("an earlier list does not outlive the manifest that it belonged to", async () => {
  using dir = temporaryDirectory();
  (await pendingOf(dir.path, [object("a"), object("odd")])).commit();
  (await pendingOf(dir.path, [object("a")])).commit();
  expect(names(dir.path)).toEqual(["manifest.jsonl", "manifest.jsonl.progress"]);
});

test("the list alone is named where the manifest does not come about", async () => {
  using dir = temporaryDirectory();
  const pending = await pendingOf(dir.path, [object("odd")]);
  pending.commitList();
  pending.abort();
  expect(names(dir.path)).toEqual(["manifest.untransferable.jsonl"]);
});
