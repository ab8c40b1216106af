import { describe, expect, test } from "bun:test";
import rebase, { rootsOf } from "../../../cmd/manifest/rebase.ts";
import { optionsGiven, toldOf } from "../command-line.ts";

type Input = Parameters<typeof rootsOf>[0];

const needed = "--in m.jsonl --out n.jsonl";
const asked = async (line: string) => rootsOf(await optionsGiven<Input>(rebase, `${needed} ${line}`));

describe("xfer manifest rebase: the new roots", () => {
  const rows: [string, Awaited<ReturnType<typeof asked>>][] = [
    ["--source-root src:new", { sourceRoot: "src:new", destRoot: undefined }],
    ["--dest-root dst:new --json", { sourceRoot: undefined, destRoot: "dst:new" }],
    ["--source-root /a --dest-root /b --out -", { sourceRoot: "/a", destRoot: "/b" }],
  ];
  test.each(rows)("%s", async (line, roots) => {
    expect(await asked(line)).toEqual(roots);
  });

  test.each([
    ["", "--source-root or --dest-root is needed"],
    ["--dest-root b: --out - --json", "--json: the manifest is on standard output: give --out a file"],
  ])("%s", async (line, told) => {
    await expect(asked(line)).rejects.toThrow(new Error(told));
  });
});

describe("xfer manifest rebase: a wrong value is told", () => {
  const rows: [string, string][] = [
    ["--out n", "--in is missing"],
    ["--in m", "--out is missing"],
    [`${needed} --source-root=`, '--source-root: must not be empty, not ""'],
    [`${needed} --source src:new`, "unknown flag --source"],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(rebase, line)).toBe(told);
  });
});
