import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkNewFile, checkRcloneConfig, checkResultFile } from "../../../cmd/flags/checks.ts";
import { log } from "../../../lib/system/log.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const dir = temporaryDirectory();
const at = (name: string) => join(dir.path, name);

beforeAll(() => {
  writeFileSync(at("file"), "");
  mkdirSync(at("folder"));
  writeFileSync(at("closed.conf"), "[s]\n", { mode: 0o600 });
  writeFileSync(at("open.conf"), "[s]\n", { mode: 0o644 });
});

afterAll(() => dir[Symbol.dispose]());

/** What a check says: the error, the warnings, or nothing. */
function said(check: () => void): string {
  const warnings: string[] = [];
  const { reporters } = log.options;
  log.setReporters([{ log: ({ args }) => warnings.push(args.join(" ")) }]);
  try {
    check();
    return warnings.join("\n");
  } catch (error) {
    return `refused: ${error instanceof Error ? error.message : error}`;
  } finally {
    log.setReporters(reporters);
  }
}

/** The text without the temporary folder. */
const plain = (text: string) => text.replaceAll(`${dir.path}/`, "");

describe("a file that is to be new, or to be written over", () => {
  const rows: [string, "new" | "over", string][] = [
    ["none", "new", ""],
    ["folder/none", "new", ""],
    ["not/yet/there", "new", ""],
    ["file", "new", "refused: --out: file is there already: a manifest is immutable, choose another name"],
    [
      "folder",
      "new",
      "refused: --out: folder is there already: a manifest is immutable, choose another name",
    ],
    ["file/below", "new", "refused: --out: file is no directory"],
    ["none", "over", ""],
    ["file", "over", ""],
    ["folder", "over", "refused: --out: folder: is a folder: a file is wanted"],
    ["file/below", "over", "refused: --out: file is no directory"],
  ];
  test.each(rows)("%s, %s", (name, kind, expected) => {
    const check = kind === "new" ? checkNewFile : checkResultFile;
    expect(plain(said(() => check("--out", at(name))))).toBe(expected);
  });

  test("two flags do not write one file", () => {
    expect(said(() => checkNewFile("--extra-out", `${at("folder")}/../none`, at("none")))).toEndWith(
      "is written by another flag too: choose another name",
    );
  });
});

describe("the rclone.conf that is named", () => {
  const rows: [string | undefined, boolean, string][] = [
    [undefined, true, ""],
    ["closed.conf", true, ""],
    ["closed.conf", false, ""],
    ["open.conf", true, "open.conf holds credentials and others can read it (mode 644): chmod 600 it"],
    ["none", true, 'refused: --rclone-config: none: no such file ("rclone config" makes one)'],
    ["none", false, "--rclone-config: none: no such file here; it must be there on the compute nodes"],
    ["folder", true, "refused: --rclone-config: folder: is a folder: a file is wanted"],
    ["folder", false, "refused: --rclone-config: folder: is a folder: a file is wanted"],
  ];
  test.each(rows)("%s, rclone runs here: %p", (name, runsHere, expected) => {
    const check = () => checkRcloneConfig(name === undefined ? undefined : at(name), runsHere);
    expect(plain(said(check))).toBe(expected);
  });
});
