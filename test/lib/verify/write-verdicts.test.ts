import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Relation } from "../../../lib/compare/comparison.ts";
import { type ChecksumMode, verifyVerdict } from "../../../lib/compare/verify-rule.ts";
import type { ListedManifest } from "../../../lib/compare/with-listing.ts";
import { type Judge, writeVerdicts } from "../../../lib/verify/write-verdicts.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

/** A manifest in which each relation is that of one object, whose key is the relation. */
function comparedAs(...relations: Relation[]): ListedManifest<undefined> {
  return {
    end: undefined,
    extra: 0,
    hasOtherTime: () => false,
    forEachOutcome: async (each) => {
      relations.forEach((relation, i) => {
        each({ relation, age: "unknown" }, { path: relation, size: 10, line: new Uint8Array() }, i);
      });
    },
  };
}

const byListing: Judge = ({ relation }) => verifyVerdict(relation);
const all: Relation[] = ["hash-equal", "size-equal", "missing", "size-differs", "hash-differs"];

test.each<[ChecksumMode, string[]]>([
  ["auto", ["missing", "size-differs", "hash-differs"]],
  ["off", ["missing", "size-differs", "hash-differs"]],
  ["require", ["size-equal", "missing", "size-differs", "hash-differs"]],
])("with --checksum %s every object is counted, and %p fail", async (checksum, failing) => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "verify.jsonl");
  const found = await writeVerdicts(path, comparedAs(...all), checksum, byListing);
  expect(found).toMatchObject({
    listed: { objects: 5, bytes: 50 },
    hash_proven: 1,
    size_only: 1,
    missing: 1,
    differs: 2,
  });
  expect(found.failures.map((failure) => failure.path)).toEqual(failing);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).path)).toEqual(all.slice(1));
});

test("20 failures are named in the verification, and all of them in the file", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "verify.jsonl");
  const many = comparedAs(...Array.from({ length: 30 }, (): Relation => "missing"));
  const found = await writeVerdicts(path, many, "auto", byListing);
  expect([found.missing, found.failures.length]).toEqual([30, 20]);
  expect(readFileSync(path, "utf8").trimEnd().split("\n")).toHaveLength(30);
});

test("a shard without records has an empty file; a verdict that cannot be had leaves none", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "verify.jsonl");
  const stopped = writeVerdicts(path, comparedAs("missing"), "auto", () => {
    throw new Error("stopped");
  });
  await expect(stopped).rejects.toThrow("stopped");
  expect(existsSync(path)).toBe(false);
  expect((await writeVerdicts(path, undefined, "auto", byListing)).listed).toEqual({ objects: 0, bytes: 0 });
  expect(readFileSync(path, "utf8")).toBe("");
});
