import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { combineParts } from "../../../lib/build/from-parts.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

interface Entry {
  Path: string;
  Size: number;
  IsDir?: boolean;
}

/** A listing as rclone lsjson prints it. */
function lsjson(entries: readonly Entry[]): string {
  const lines = entries.map((entry) =>
    JSON.stringify({ ...entry, ModTime: "2026-01-01T00:00:00Z", IsDir: entry.IsDir ?? false }),
  );
  return `[\n${lines.join(",\n")}${lines.length > 0 ? "\n" : ""}]\n`;
}

/** Combines these files of a folder of parts, and gives what is made of them. */
async function combined(dir: string, files: Record<string, string>) {
  const partsDir = join(dir, "parts");
  mkdirSync(partsDir);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(partsDir, name), content);
  const out = join(dir, "manifest.jsonl");
  const result = await combineParts({
    runId: "20261122T081500Z_a1b2c3",
    sourceRoot: "src:b",
    destRoot: "/d",
    partsDir,
    out,
    addressability: (key) => (key.includes("odd") ? "rclone cannot carry it" : undefined),
    stop: new AbortController().signal,
    onProgress: () => {},
  });
  const lines = readFileSync(out, "utf8").trimEnd().split("\n");
  return { result, paths: lines.map((line) => (JSON.parse(line) as { path: string }).path) };
}

const object = (Path: string, Size = 1): Entry => ({ Path, Size });

test("parts follow each other in the order of their names by bytes, each below its prefix", async () => {
  using dir = temporaryDirectory();
  const { result, paths } = await combined(dir.path, {
    "lsjson-b.json": lsjson([object("z"), { ...object("folder"), Size: -1, IsDir: true }, object("a", 4)]),
    "lsjson-b.prefix": "pre/fix/\n",
    "lsjson-a.json": lsjson([object("root"), object("marker/", 0), object("odd", 7)]),
    "lsjson-a.prefix": "",
    // By bytes this is before U+10000, by JavaScript's own order after it.
    "lsjson-\uffee.json": lsjson([object("x")]),
    "lsjson-\uffee.prefix": "p\r\n",
    "lsjson-\u{10000}.json": JSON.stringify([object("y")], null, 2),
    "lsjson-\u{10000}.prefix": "\u{1f600} q",
    "notes.txt": "no part",
  });
  expect(paths).toEqual(["root", "pre/fix/z", "pre/fix/a", "p/x", "\u{1f600} q/y"]);
  expect(result).toEqual({
    objects: 5,
    bytes: 8,
    markers: { objects: 1, first: "src:b/marker/" },
    untransferable: {
      objects: 1,
      bytes: 7,
      examples: [{ key: "odd", size: 7, reason: "rclone cannot carry it" }],
    },
  });
});

const whole = { "lsjson-a.json": lsjson([object("x"), object("y")]), "lsjson-a.prefix": "p" };

test.each<[string, Record<string, string>, string]>([
  ["no part", { "a.json": "[]" }, "parts: no parts there: lsjson-*.json"],
  ["no sidecar", { ...whole, "lsjson-b.json": lsjson([]) }, "lsjson-b.json: no lsjson-b.prefix beside it"],
  [
    "a torn part",
    { ...whole, "lsjson-b.json": "[\n", "lsjson-b.prefix": "q" },
    "lsjson-b.json: the listing ended early",
  ],
  [
    "a part cut in an entry",
    { ...whole, "lsjson-a.json": lsjson([object("x"), object("y")]).slice(0, -20) },
    "lsjson-a.json: the listing ended early, after 1 object",
  ],
  ["a part that is no array", { ...whole, "lsjson-a.json": "{}" }, "lsjson-a.json: "],
  [
    "two arrays in a part",
    { ...whole, "lsjson-a.json": lsjson([]) + lsjson([]) },
    "lsjson-a.json: the listing is not one",
  ],
  [
    "an entry without a size",
    { ...whole, "lsjson-a.json": '[\n{"Path":"x"}\n]\n' },
    "lsjson-a.json: the listing has a line",
  ],
  [
    "a key in two parts",
    { ...whole, "lsjson-b.json": lsjson([object("p/y")]), "lsjson-b.prefix": "" },
    "lsjson-b.json: the key is in ",
  ],
  [
    "a key twice in a part",
    { "lsjson-a.json": lsjson([object("x"), object("y"), object("x")]), "lsjson-a.prefix": "p" },
    "lsjson-a.json: the key is there twice: p/x: list the prefix of this part again",
  ],
  [
    "empty parts",
    { "lsjson-a.json": lsjson([]), "lsjson-a.prefix": "" },
    "no object is in any of the 1 parts",
  ],
  [
    "nothing that can be carried",
    { "lsjson-a.json": lsjson([object("odd")]), "lsjson-a.prefix": "" },
    "no object in the parts can be transferred: odd: rclone cannot carry it",
  ],
])("of %s no manifest is made", async (_, files, problem) => {
  using dir = temporaryDirectory();
  const error = await combined(dir.path, files).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining(problem) });
  expect(readdirSync(dir.path)).toEqual(["parts"]);
});

test("a folder that is not there is named", async () => {
  using dir = temporaryDirectory();
  const options = {
    runId: "r",
    sourceRoot: "src:b",
    destRoot: "/d",
    partsDir: join(dir.path, "gone"),
    out: join(dir.path, "manifest.jsonl"),
    addressability: () => undefined,
    stop: new AbortController().signal,
    onProgress: () => {},
  };
  await expect(combineParts(options)).rejects.toThrow("gone: no such folder of parts");
});
