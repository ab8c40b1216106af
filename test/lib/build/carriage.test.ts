import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressabilityOf, Carriage } from "../../../lib/build/carriage.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const long = "n".repeat(300);

test("what no rclone carries is refused; what some rclone may carry between the ends is let pass", () => {
  using dir = temporaryDirectory();
  const configPath = join(dir.path, "rclone.conf");
  writeFileSync(configPath, "[one]\ntype = s3\n[two]\ntype = s3\n");
  const refused = (sourceRoot: string, destRoot: string) => {
    const reasonOf = addressabilityOf({ sourceRoot, destRoot, configPath });
    return ["plain", "a//b", "/lead", "x/\uff0e", "M\ufffd", long].filter(
      (key) => reasonOf(key) !== undefined,
    );
  };
  const always = ["/lead", "M\ufffd"];
  expect(refused("one:b", "two:b")).toEqual(["/lead", "x/\uff0e", "M\ufffd"]);
  expect(refused("one:b", "/out")).toEqual(["a//b", "/lead", "x/\uff0e", "M\ufffd", long]);
  expect(refused("/in", "two:b")).toEqual(["a//b", ...always]);
  // Remotes of another rclone.conf may be of any kind.
  expect(refused("one:b", "elsewhere:b")).toEqual(["/lead", "x/\uff0e", "M\ufffd"]);
  expect(refused("elsewhere:b", "elsewhere:c")).toEqual(always);
});

test("what depends on rclone's version is asked of it only where there is such a key", () => {
  using dir = temporaryDirectory();
  const configPath = join(dir.path, "rclone.conf");
  writeFileSync(configPath, "[one]\ntype = s3\n");
  const carriage = new Carriage({ sourceRoot: "one:a", destRoot: "one:b", configPath, fastList: true });
  expect(carriage.perhaps("plain")).toBeUndefined();
  expect(carriage.perhaps("/lead")).toContain("slash");
  expect(carriage.forVersion([1, 60])).toBeUndefined();
  expect(carriage.perhaps("a//b")).toBeUndefined();
  expect(carriage.forVersion([1, 60])?.("a//b")).toContain("empty component");
  expect(carriage.forVersion(undefined)?.("a//b")).toContain("empty component");
  expect(carriage.forVersion([1, 75])?.("a//b")).toBeUndefined();
  expect(carriage.forVersion([1, 60])?.("plain")).toBeUndefined();
});

test("a path that is listed twice in a folder with rclone's own quote hides another folder, where folders are walked", () => {
  const of = (sourceRoot: string, fastList: boolean) =>
    new Carriage({ sourceRoot, destRoot: "/out", configPath: "/none", fastList });
  const walked = of("/in", true);
  expect(["q/x", "\u201b\u201b/x", "\u201bx", "\u201bx"].map((path) => walked.repeats(path))).toEqual([
    ...[false, false, false, false],
  ]);
  expect(walked.quotedFolders()).toEqual([]);
  expect(walked.repeats("\u201b\u201b/x")).toBe(true);
  expect(walked.quotedFolders().map(({ path }) => path)).toEqual(["\u201b\u201b"]);
  const listed = of(":s3:b", true);
  expect(["\u201b\u201b/x", "\u201b\u201b/x"].map((path) => listed.repeats(path))).toEqual([false, false]);
  const prefixes = of(":s3:b", false);
  expect(["\u201b\u201b/x", "\u201b\u201b/x"].map((path) => prefixes.repeats(path))).toEqual([false, true]);
});
