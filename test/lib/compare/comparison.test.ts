import { expect, test } from "bun:test";
import { type Age, ManifestComparison, type Relation } from "../../../lib/compare/comparison.ts";
import { KeyTable } from "../../../lib/manifest/key-table.ts";

const a = "0123456789abcdef0123456789abcdef";
const b = "0123456789abcdef0123456789abcdee";
const early = "2026-01-01T00:00:00.900000000Z";
const sameSecond = "2026-01-01T01:00:00.100000000+01:00";
const later = "2026-01-01T00:00:01Z";

type Side = { size?: number; md5?: string; time?: string | null };

/** [record, what is listed under its key, relation, age] */
const rows: [Side, Side[], Relation, Age][] = [
  [{}, [], "missing", "unknown"],
  [{ size: 1 }, [{ size: 2 }], "size-differs", "unknown"],
  [{ size: 1, md5: a }, [{ size: 2, md5: a }], "size-differs", "unknown"],
  [{}, [{}], "size-equal", "unknown"],
  [{ md5: a }, [{}], "size-equal", "unknown"],
  [{}, [{ md5: a }], "size-equal", "unknown"],
  [{ md5: `${a}-2` }, [{ md5: `${a}-2` }], "size-equal", "unknown"],
  [{ md5: a }, [{ md5: a.toUpperCase() }], "hash-equal", "unknown"],
  [{ md5: a }, [{ md5: b }], "hash-differs", "unknown"],
  [{ md5: a }, [{ md5: a }, { md5: b }], "hash-differs", "unknown"],
  [{ md5: a }, [{ size: 9 }, { md5: a }], "size-differs", "unknown"],
  [{ time: early }, [{ time: sameSecond }], "size-equal", "not-older"],
  [{ time: sameSecond }, [{ time: early }], "size-equal", "not-older"],
  [{ time: early }, [{ time: later }], "size-equal", "not-older"],
  [{ time: later }, [{ time: early }], "size-equal", "older"],
  [{ time: later }, [{ time: null }], "size-equal", "unknown"],
  [{ time: "yesterday" }, [{ time: early }], "size-equal", "unknown"],
];

test("a record stands to what is listed as the table says", () => {
  const comparison = new ManifestComparison({ hashes: true, times: true });
  rows.forEach(([{ size = 5, md5, time = null }], i) => {
    const record = { path: `k${i}`, size, mtime: time, hashes: md5 === undefined ? null : { md5 } };
    expect(comparison.addRecord(record)).toBeUndefined();
  });
  rows.forEach(([, listed], i) => {
    for (const { size = 5, md5, time } of listed) {
      const entry = {
        Path: `k${i}`,
        Size: size,
        ...(md5 && { Hashes: { md5 } }),
        ...(time && { ModTime: time }),
      };
      expect(comparison.addListed(entry)).toBe(true);
    }
  });
  expect(comparison.addListed({ Path: "other", Size: 5 })).toBe(false);
  expect(comparison.extra).toBe(1);
  expect(rows.map((_, i) => comparison.outcome(i))).toEqual(
    rows.map(([, , relation, age]) => ({ relation, age })),
  );
});

test("without the wish for hashes and times only sizes count", () => {
  const comparison = new ManifestComparison({ hashes: false, times: false });
  comparison.addRecord({ path: "k", size: 1, mtime: later, hashes: { md5: a } });
  expect(comparison.addRecord({ path: "k", size: 1, mtime: null, hashes: null })).toBe(0);
  comparison.addListed({ Path: "k", Size: 1, ModTime: early, Hashes: { md5: b } });
  expect(comparison.outcome(0)).toEqual({ relation: "size-equal", age: "unknown" });
});

test("a table of keys finds every key that was added, across chunks and growth, and no other", () => {
  const table = new KeyTable();
  const keys = Array.from({ length: 200_000 }, (_, i) => `prefix/${i}/é`);
  expect(keys.every((key, i) => table.add(key) === i)).toBe(true);
  expect(keys.every((key, i) => table.find(key) === i)).toBe(true);
  expect(keys.every((key) => table.find(`${key}x`) === -1)).toBe(true);
  expect(table.add("prefix/70000/é")).toBe(-70_001);
  expect(table.size).toBe(keys.length);
});
