import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  asksForMetadata,
  type KnownEnds,
  type MetadataFacts,
  metadataWords,
  preservedText,
} from "../../../lib/rclone/preserved.ts";

const facts: MetadataFacts = {
  source: "s3",
  dest: "s3",
  onServer: false,
  inParts: false,
  mode: "auto",
  saidByUser: false,
};

test.each([
  [{}, true],
  [{ inParts: true }, true],
  [{ dest: "posix" }, false],
  [{ source: "posix" }, false],
  [{ source: "posix", dest: "posix" }, false],
  [{ dest: "other" }, false],
  [{ dest: "posix", mode: "on" }, true],
  [{ source: "other", dest: "other", mode: "on" }, true],
  [{ mode: "off" }, false],
  [{ onServer: true }, false],
  [{ onServer: true, mode: "on" }, false],
  [{ onServer: true, inParts: true }, true],
  [{ onServer: true, inParts: true, mode: "off" }, false],
  [{ saidByUser: true }, false],
  [{ saidByUser: true, mode: "on", dest: "posix" }, false],
] as [Partial<MetadataFacts>, boolean][])("metadata is asked for: %j: %p", (more, asked) => {
  expect(asksForMetadata({ ...facts, ...more })).toBe(asked);
});

test("an rclone too old for the flag is not given it, and an unknown one can pass over it", () => {
  expect(metadataWords([1, 60])).toEqual({ flags: ["--metadata"], variables: {}, reason: undefined });
  expect(metadataWords([1, 59]).flags).toEqual(["--metadata"]);
  expect(metadataWords([2, 0]).flags).toEqual(["--metadata"]);
  expect(metadataWords([1, 58])).toEqual({
    flags: [],
    variables: {},
    reason: "rclone 1.58 carries no metadata",
  });
  expect(metadataWords(undefined)).toMatchObject({ flags: [], variables: { RCLONE_METADATA: "true" } });
});

const page = readFileSync(join(import.meta.dir, "../../../docs/reference/preserved.md"), "utf8");

test.each([
  [{ source: "s3", dest: "s3", mode: "auto" }, /user metadata, Cache-Control.*; not: tags, ACLs, Expires/],
  [{ source: "s3", dest: "s3", mode: "off" }, /; not: user metadata, Cache-Control/],
  [{ source: "s3", dest: "posix", mode: "auto" }, /; not: content type, user metadata.*--metadata carries/],
  [{ source: "s3", dest: "posix", mode: "on" }, /as extended attributes content type.*; not: tags/],
  [{ source: "posix", dest: "s3", mode: "auto" }, /; not: mode, owner.*--metadata carries/],
  [{ source: "posix", dest: "s3", mode: "on" }, /as user metadata mode, owner.*; not: ACLs, hard links/],
  [{ source: "posix", dest: "posix", mode: "auto" }, /; not: mode, owner.*--metadata carries/],
  [{ source: "posix", dest: "posix", mode: "on" }, /mode, owner.*; not: ACLs, hard links/],
  [{ source: undefined, dest: "s3", mode: "auto" }, /between two S3 remotes content type, user metadata/],
  [{ source: "other", dest: "s3", mode: "auto" }, /; not: metadata of any other kind/],
  [{ source: "other", dest: "s3", mode: "on" }, /metadata that both backends know/],
] as [KnownEnds, RegExp][])("what is preserved is said in one line: %j", (ends, text) => {
  const said = preservedText(ends);
  expect(said).toMatch(text);
  expect(said).toStartWith("preserved: content, size, modification time");
  expect(said).not.toInclude("\n");
});

test("what is said to be lost between S3 endpoints is on the page that tells it in full", () => {
  const lost = /; not: (.*)$/.exec(preservedText({ source: "s3", dest: "s3", mode: "auto" }))?.[1] ?? "";
  const names = lost.split(", ");
  expect(names).toContain("tags");
  expect(names.filter((name) => !page.toLowerCase().includes(name.toLowerCase()))).toEqual([]);
});
