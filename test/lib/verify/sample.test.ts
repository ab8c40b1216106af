import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { differingContent, Sample } from "../../../lib/verify/sample.ts";
import { seededRandom } from "../../data/fill.ts";
import { awkwardNames } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { localRun, type SampleFile } from "./local-run.ts";

/** Shows so many items to a sample of this size. */
function sampled(count: number, size: number, random: () => number): number[] {
  const sample = new Sample<number>(size, random);
  for (let i = 0; i < count; i++) sample.add(() => i);
  return sample.items;
}

test.each([
  [0, 3, 0],
  [2, 3, 2],
  [3, 3, 3],
  [100, 3, 3],
  [5, 0, 0],
])("of %d items a sample of %d has %d, none twice", (count, size, has) => {
  const items = sampled(count, size, seededRandom(count));
  expect(items).toHaveLength(has);
  expect(new Set(items).size).toBe(has);
  expect(items.every((item) => item >= 0 && item < count)).toBe(true);
});

test("each item has the same chance", () => {
  const random = seededRandom(7);
  const counts = Array.from({ length: 10 }, () => 0);
  const rounds = 20_000;
  for (let i = 0; i < rounds; i++) {
    for (const item of sampled(10, 3, random)) counts[item] = (counts[item] ?? 0) + 1;
  }
  // Three of ten: 6,000 each, with a standard deviation of 65.
  for (const count of counts) expect(Math.abs(count - 0.3 * rounds)).toBeLessThan(5 * 65);
});

test("what is not chosen is not made", () => {
  let made = 0;
  const sample = new Sample<number>(1, () => 0.999);
  for (let i = 0; i < 50; i++) sample.add(() => made++);
  expect(made).toBe(1);
});

/** The MD5 of a text, by another program than the one that is tested. */
const md5Of = (text: string) =>
  Bun.spawnSync(["md5sum"], { stdin: Buffer.from(text) })
    .stdout.toString()
    .slice(0, 32);

const files: Record<string, SampleFile> = {
  same: { source: "a", dest: "a" },
  "same by hash": { source: "b", dest: "b", md5: md5Of("b") },
  "hash alone: the source is not read": { dest: "c", md5: md5Of("c") },
  "d/other": { source: "d", dest: "D" },
  "d/other by hash": { source: "e", dest: "e", md5: md5Of("E") },
  "gone there": { source: "f" },
  "gone here": { dest: "g" },
  empty: { source: "", dest: "" },
};

test("an object is read where it is, and its content compared with its hash or with the source's", async () => {
  using dir = temporaryDirectory();
  const { run, config } = await localRun(dir.path, files);
  const objects = Object.entries(files).map(([path, { md5 }]) => ({ path, md5 }));
  expect(Object.fromEntries(await differingContent(run, config, objects))).toEqual({
    "d/other": "read as a sample: other content at the destination",
    "d/other by hash": "read as a sample: other content at the destination",
    "gone there": "read as a sample: not at the destination any more",
    "gone here": "read as a sample: not at the source any more, to compare with",
  });
  expect(existsSync(join(run.dir, "verify.keys"))).toBe(false);
});

test("objects are read whatever their names are", async () => {
  using dir = temporaryDirectory();
  // But for control characters, which rclone shows as symbols.
  const names = [...awkwardNames.filter((name) => !/[\x00-\x1f\x7f]/.test(name)), "\u2028\u2029\u0080"];
  const { run, config } = await localRun(
    dir.path,
    Object.fromEntries(names.map((name) => [name, { source: name, dest: name }])),
  );
  const objects = names.map((path) => ({ path, md5: undefined }));
  expect(await differingContent(run, config, objects)).toEqual(new Map());
});

test("a sample of nothing starts nothing", async () => {
  using dir = temporaryDirectory();
  const { run, config } = await localRun(dir.path, files);
  const broken = { ...config, runtime: "pyxis" as const };
  expect(await differingContent(run, broken, [])).toEqual(new Map());
});
