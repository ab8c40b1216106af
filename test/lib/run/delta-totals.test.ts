import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import type { Delta } from "../../../lib/compare/delta.ts";
import { readDeltaSame, writeDeltaTotals } from "../../../lib/run/delta-totals.ts";
import { runLayout } from "../../../lib/run/layout.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const delta: Delta = {
  schema: "xfer.delta.v1",
  manifest: "/data/run/manifest.jsonl",
  out: "/data/run/delta.jsonl",
  dest_root: "dst:b",
  compare: "size",
  new: 1,
  changed: 2,
  same: 3,
  extra: 4,
  not_comparable: 0,
  bytes: 10,
  same_bytes: 30,
};
const nothing = { objects: 0, bytes: 0 };

test("what a delta found the same counts where it planned the shards, and where there are none yet", () => {
  using dir = temporaryDirectory();
  const run = runLayout(dir.path);
  expect(readDeltaSame(run, { input: "delta.jsonl" })).toEqual(nothing);
  writeDeltaTotals(run, delta);
  expect(readDeltaSame(run, { input: "delta.jsonl" })).toEqual({ objects: 3, bytes: 30 });
  expect(readDeltaSame(run, undefined)).toEqual({ objects: 3, bytes: 30 });
  expect(readDeltaSame(run, { input: "manifest.jsonl" })).toEqual(nothing);
});

test("the kept totals name no place: the run directory may be moved", () => {
  using dir = temporaryDirectory();
  const run = runLayout(dir.path);
  writeDeltaTotals(run, delta);
  const text = readFileSync(run.deltaTotals, "utf8");
  expect(JSON.parse(text)).toEqual({ ...delta, manifest: "manifest.jsonl", out: "delta.jsonl" });
  expect(text).not.toContain(dir.path);
});

test.each([
  ["empty", ""],
  ["torn", JSON.stringify(delta).slice(0, 40)],
  ["of another schema", JSON.stringify({ ...delta, schema: "xfer.delta.v2" })],
  ["without a number", JSON.stringify({ ...delta, same: undefined })],
  ["with a negative number", JSON.stringify({ ...delta, same_bytes: -1 })],
])("totals that are %s are refused: the account would be short", (_, content) => {
  using dir = temporaryDirectory();
  const run = runLayout(dir.path);
  writeFileSync(run.deltaTotals, content);
  expect(() => readDeltaSame(run, { input: "delta.jsonl" })).toThrow(`${run.deltaTotals}: torn or not`);
  expect(readDeltaSame(run, { input: "manifest.jsonl" })).toEqual(nothing);
});
