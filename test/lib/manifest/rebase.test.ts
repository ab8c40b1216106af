import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rebaseManifest } from "../../../lib/manifest/rebase.ts";
import { hostileManifest, hostileNames } from "../../data/hostile-names.ts";
import { awkwardNames, escapedLine, recordLine, recordOf } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const roots = { sourceRoot: 'new:b/"x"', destRoot: "/data/\u00e9" };

/** Rebases a text and gives the lines back. */
async function rebased(
  dir: string,
  text: string,
  to: { sourceRoot: string | undefined; destRoot: string | undefined },
) {
  const manifestPath = join(dir, "m.jsonl");
  const out = join(dir, "out.jsonl");
  writeFileSync(manifestPath, text);
  await rebaseManifest({ manifestPath, roots: to }, out);
  return readFileSync(out, "utf8").trimEnd().split("\n");
}

/** The record that a line should become, made by way of its values. */
function expected(line: string): Record<string, unknown> {
  const record = JSON.parse(line);
  const { sourceRoot, destRoot } = roots;
  const source = `${sourceRoot}/${record.path}`;
  return {
    ...record,
    source_root: sourceRoot,
    dest_root: destRoot,
    source,
    dest: `${destRoot}/${record.path}`,
  };
}

const names = [...hostileNames(), ...awkwardNames];
const named = (path: string) => recordOf({ path, size: 7 });
const record = named("a/b");

/** [what the manifest is, its text] */
const rows: [string, string][] = [
  ["another writer's, with hostile names", readFileSync(hostileManifest, "utf8")],
  ["raw names", names.map((path) => recordLine({ path, size: 5 })).join("")],
  ["escaped names", names.map((path) => escapedLine({ path, size: 5 })).join("")],
  [
    "other orders, blanks, unknown fields, a source that does not end with the path",
    [
      JSON.stringify(record),
      JSON.stringify(Object.fromEntries(Object.entries(named("a/c")).reverse())),
      JSON.stringify({
        ...named("a/d"),
        more: { source_root: "stays", list: ["dest", { dest: 1 }] },
        meta: { source: "stays" },
      }),
      JSON.stringify({ ...named("a/e"), source: "elsewhere" }),
      JSON.stringify(named("a/f")).replaceAll('":', '" : ').replaceAll(',"', ' , "'),
    ].join("\n"),
  ],
];

for (const [what, text] of rows) {
  test(`only the roots and what hangs on them change: ${what}`, async () => {
    using dir = temporaryDirectory();
    const lines = text.trimEnd().split("\n");
    const found = await rebased(dir.path, text, roots);
    expect(found.map((line) => JSON.parse(line))).toEqual(lines.map(expected));
    // The order of fields, and every value that stays, as it was written.
    const keys = (line: string) => Object.keys(JSON.parse(line));
    expect(found.map(keys)).toEqual(lines.map(keys));
  });
}

test("numbers that no double holds stay as they are written", async () => {
  using dir = temporaryDirectory();
  const lineOf = (path: string) =>
    recordLine({ path, size: 5 }).replace('"meta":{}', '"meta":{"n":12345678901234567890.10}');
  const [first, second] = await rebased(dir.path, lineOf("a") + lineOf("b"), roots);
  expect(first).toContain('"meta":{"n":12345678901234567890.10}');
  expect(second).toBe((first ?? "").replaceAll('/a"', '/b"').replace('"path":"a"', '"path":"b"'));
});

test("one root alone leaves the other's fields byte for byte; the old roots bring the manifest back", async () => {
  using dir = temporaryDirectory();
  const text = names.map((path) => recordLine({ path, size: 5 })).join("");
  const found = await rebased(dir.path, text, { sourceRoot: "other:x", destRoot: undefined });
  expect(found).toEqual(
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.replaceAll('"src:bucket/set', '"other:x')),
  );
  const back = await rebased(dir.path, `${found.join("\n")}\n`, {
    sourceRoot: "src:bucket/set",
    destRoot: undefined,
  });
  expect(`${back.join("\n")}\n`).toBe(text);
});

test("a bad line ends it, and no file is left", async () => {
  using dir = temporaryDirectory();
  const manifestPath = join(dir.path, "m.jsonl");
  writeFileSync(manifestPath, `${recordLine({ path: "a", size: 1 }).repeat(5000)}{"torn":\n`);
  const out = join(dir.path, "out.jsonl");
  expect(rebaseManifest({ manifestPath, roots }, out)).rejects.toThrow(
    /m\.jsonl:5001: not a manifest record/,
  );
  expect(existsSync(out)).toBe(false);
  expect(readdirSync(dir.path)).toEqual(["m.jsonl"]);
});
