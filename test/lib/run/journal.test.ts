import { expect, test } from "bun:test";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Journal, readJournal } from "../../../lib/run/journal.ts";
import { limitMs } from "../../setup/pace.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const roots = { source_root: "src:b", dest_root: "dst:b" };
const shard = { sha256: "a".repeat(64), records: 100, roots };
const proven = (path: string, of = shard) => {
  const { proofs } = readJournal(path, of);
  return Array.from({ length: of.records }, (_, i) => i).filter((i) => proofs.get(i) !== undefined);
};

test("what is added is read again; a torn tail is cut off and written over", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "j");
  const first = new Journal(path, shard);
  first.add(3, "copied");
  first.add(3, "copied");
  first.add(42, "unchanged");
  first.sync();
  first.close();
  expect(proven(path)).toEqual([3, 42]);
  appendFileSync(path, "c7");
  expect(proven(path)).toEqual([3, 42]);
  const second = new Journal(path, shard);
  expect(second.proofs.count).toBe(2);
  second.add(5, "copied");
  second.flush();
  second.close();
  expect(readFileSync(path, "utf8")).toBe(`xfer.journal.v1 ${shard.sha256} ["src:b","dst:b"]\nc3\nu42\nc5\n`);
  expect(readJournal(path, shard).proofs.get(42)).toBe("unchanged");
});

test("cut at every byte, a journal never proves what it did not say, and can be gone on with", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "j");
  const whole = `xfer.journal.v1 ${shard.sha256}\nc3\nu42\nc57\n`;
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole.slice(0, length));
    const said = proven(path);
    expect([3, 42, 57].slice(0, said.length)).toEqual(said);
    const journal = new Journal(path, shard);
    journal.add(99, "copied");
    journal.flush();
    journal.close();
    expect(proven(path)).toEqual([...said, 99]);
  }
});

test("a journal of another shard content, or with foreign lines, proves nothing beyond its own", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "j");
  writeFileSync(path, `xfer.journal.v1 ${"b".repeat(64)}\nc1\nc2\n`);
  expect(proven(path)).toEqual([]);
  writeFileSync(path, `xfer.journal.v1 ${shard.sha256}\nc1\n<html>\nc2\n`);
  expect(proven(path)).toEqual([1]);
  writeFileSync(path, `xfer.journal.v1 ${shard.sha256}\nc1\nc100\nc2\n`);
  expect(proven(path)).toEqual([1]);
  expect(proven(join(dir.path, "none"))).toEqual([]);
});

test(
  "a journal of many blocks is read whole, and up to where it is torn or foreign",
  () => {
    using dir = temporaryDirectory();
    const path = join(dir.path, "j");
    const many = { sha256: shard.sha256, records: 200_000, roots };
    const header = `xfer.journal.v1 ${many.sha256}\n`;
    const lines = Array.from({ length: many.records }, (_, i) => `c${(i * 7919) % many.records}\n`);
    const text = header + lines.join("");
    writeFileSync(path, text);
    expect(readJournal(path, many).proofs.count).toBe(many.records);
    expect(readJournal(path, many).wholeBytes).toBe(text.length);
    // Around the ends of what is read at a time.
    for (const around of [64 * 1024, 128 * 1024, text.length - 8]) {
      for (let length = around - 9; length < around + 9; length++) {
        const whole = text.lastIndexOf("\n", length - 1) + 1;
        for (const tail of ["", "\0", "x\n", "c\n", "c12345678901\n", "c0000000000\n"]) {
          writeFileSync(path, text.slice(0, length) + tail);
          const { proofs, wholeBytes } = readJournal(path, many);
          const joined = text.slice(whole, length) + tail;
          const taken = /^(?:[cu]\d{1,10}\n)*/.exec(joined)?.[0] ?? "";
          expect(wholeBytes).toBe(whole + taken.length);
          const count = text.slice(header.length, whole).split("\n").length - 1;
          expect(proofs.count).toBeGreaterThanOrEqual(count);
        }
      }
    }
  },
  limitMs(60_000),
);

test("what was not settled is forgotten in memory and in the file alike, flushed or not", () => {
  for (const settled of [[], [1, 2]]) {
    for (const flushed of [[], [3]]) {
      for (const pending of [[], [4]]) {
        using dir = temporaryDirectory();
        const path = join(dir.path, "j");
        const journal = new Journal(path, shard);
        const add = (places: readonly number[]) => {
          for (const place of places) journal.add(place, "copied");
        };
        add(settled);
        if (settled.length > 0) journal.settle(journal.flush());
        add(flushed);
        journal.flush();
        add(pending);
        journal.dropUnsettled();
        expect(journal.proofs.count).toBe(settled.length);
        expect(proven(path)).toEqual(settled);
        // It can be gone on with.
        add([...settled, ...flushed, ...pending, 50]);
        journal.sync();
        expect(proven(path)).toEqual([...settled, ...flushed, ...pending, 50]);
        expect(journal.proofs.count).toBe(proven(path).length);
        journal.close();
      }
    }
  }
});

test("a settling mark counts up to the journal's own length, and never goes back", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "j");
  const header = `xfer.journal.v1 ${shard.sha256}\n`;
  const length = header.length;
  const rows: [string, number, number][] = [
    // Lines after the header; how many bytes of all are whole, and how many settled.
    ["", 0, 0],
    ["c1\n", 3, 0],
    [`c1\ns${length + 3}\n`, 3 + 4, 3 + 4],
    [`c1\nc2\ns${length + 3}\n`, 6 + 4, 3],
    [`c1\ns${length}\n`, 3 + 4, 0],
    // One byte beyond what stands before it: no mark, and nothing after it counts.
    [`c1\ns${length + 4}\nc2\n`, 3, 0],
    // Back behind an earlier one; not back; and all that stands before it.
    [`c1\ns${length + 3}\nc2\ns${length + 6}\n`, 3 + 4 + 3, 3 + 4],
    [`c1\ns${length + 3}\nc2\ns${length + 7}\n`, 3 + 4 + 3 + 4, 3 + 4],
    [`c1\ns${length + 3}\nc2\ns${length + 10}\n`, 3 + 4 + 3 + 4, 3 + 4 + 3 + 4],
    // The last record is in, the one beyond it is not.
    ["c99\n", 4, 0],
    ["c100\n", 0, 0],
  ];
  expect(length).toBe(81);
  for (const [lines, whole, settled] of rows) {
    writeFileSync(path, header + lines);
    const content = readJournal(path, shard);
    expect([lines, content.wholeBytes - length, content.settledBytes - length]).toEqual([
      lines,
      whole,
      settled,
    ]);
  }
});
