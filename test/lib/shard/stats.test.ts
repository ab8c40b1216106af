import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { forEachBatch } from "../../../lib/manifest/read.ts";
import { ShardStats } from "../../../lib/shard/stats.ts";
import { escapedLine, recordLine } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

type Row = [shard: number, path: string, size: number];

/** Counts these objects, of a weight of 10 beside their bytes. */
async function statsOf(rows: readonly Row[], numShards: number, line = recordLine) {
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  writeFileSync(path, rows.map(([, key, size]) => line({ path: key, size })).join(""));
  const stats = new ShardStats(numShards);
  let at = 0;
  await forEachBatch(path, (batch) => {
    stats.startBatch();
    for (let row = 0; row < batch.count; row++, at++) {
      const [shard, , size] = rows[at] as Row;
      stats.add(shard, batch, row, size + 10);
    }
  });
  return stats;
}

const rows: Row[] = [
  [0, "a", 5],
  [0, "b", 7],
  [0, "d/a", 0],
  [0, "d/b", 1],
  [1, "d/c", 100],
  [0, "d/d", 2],
  [0, "d/e/f", 3],
  [0, "\u{1f600}/x", 4],
  [0, "\u{1f601}/x", 4],
  [2, 'q"\\/x', 6],
  [2, "d/a", 6],
];

test.each([
  ["as they are", recordLine],
  ["escaped", escapedLine],
])(
  "records, bytes, weight, the largest and the folders of each shard, of lines written %s",
  async (_, line) => {
    const stats = await statsOf(rows, 4, line);
    // The folders of shard 0: the root, d, d/e and two of one letter.
    expect(stats.of(0)).toEqual({ records: 8, bytes: 26, weight: 106, largestBytes: 7, directories: 5 });
    expect(stats.of(1)).toEqual({ records: 1, bytes: 100, weight: 110, largestBytes: 100, directories: 1 });
    expect(stats.of(2)).toEqual({ records: 2, bytes: 12, weight: 32, largestBytes: 6, directories: 2 });
    expect(stats.of(3)).toEqual({ records: 0, bytes: 0, weight: 0, largestBytes: 0, directories: 0 });
    // Over the means of 11/4 records, 138/4 bytes and a weight of 248/4.
    expect(stats.spread()).toEqual({
      weight: (110 * 4) / 248,
      bytes: (100 * 4) / 138,
      records: (8 * 4) / 11,
    });
  },
);

test("where there is nothing, nothing is spread", async () => {
  expect(new ShardStats(3).spread()).toEqual({ weight: 1, bytes: 1, records: 1 });
  const empty = await statsOf([[0, "a", 0]], 2);
  expect(empty.spread()).toEqual({ weight: 2, bytes: 1, records: 2 });
});

test("a folder is told from another of its length, and from one that another shard had just before", async () => {
  const stats = await statsOf(
    [
      [0, "ab/x", 1],
      [0, "ac/x", 1],
      [0, "ab/y", 1],
      [1, "ab/z", 1],
      [0, "ab/z", 1],
      [1, "ab//z", 1],
      [1, "ab/", 1],
    ],
    2,
  );
  expect(stats.of(0).directories).toBe(2);
  // ab, and the folder without a name in it.
  expect(stats.of(1).directories).toBe(2);
});

test("where a folder lay in one batch means nothing in the next", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  const lines = (folderOf: (i: number) => string) =>
    Array.from({ length: 12_000 }, (_, i) =>
      recordLine({ path: `${folderOf(i)}/${String(i).padStart(6, "0")}`, size: 1 }),
    ).join("");
  const batches: number[] = [];
  writeFileSync(
    path,
    lines(() => "old"),
  );
  await forEachBatch(path, ({ count }) => {
    batches.push(count);
  });
  const first = batches[0] ?? 0;
  expect(first).toBeLessThan(12_000);
  // Lines of one length: what follows lies in the next batch where the folder before lay in its own.
  writeFileSync(
    path,
    lines((i) => (i < first ? "old" : "new")),
  );
  const stats = new ShardStats(1);
  await forEachBatch(path, (batch) => {
    stats.startBatch();
    for (let row = 0; row < batch.count; row++) stats.add(0, batch, row, 1);
  });
  expect(stats.of(0)).toMatchObject({ records: 12_000, directories: 2 });
});
