import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { leaveOutUnreadable } from "../../agent/source-check.ts";
import { limitMs } from "../setup/pace.ts";
import { temporaryDirectory } from "../stage/harness.ts";
import { worklistOf } from "./worklist-of.ts";

const running = new AbortController().signal;

test(
  "of 4,200 files those that are no files any more are left out, and nothing that is proven is looked at",
  async () => {
    using dir = temporaryDirectory();
    const root = join(dir.path, "in");
    const keys = Array.from({ length: 4_200 }, (_, i) => `d${i % 10}/${i}`);
    for (let i = 0; i < 10; i++) mkdirSync(join(root, `d${i}`), { recursive: true });
    const bad = new Map([
      [7, "directory"],
      [4095, "loop"],
      [4096, "directory"],
      [4199, "loop"],
    ]);
    keys.forEach((key, index) => {
      const path = join(root, key);
      if (bad.get(index) === "directory") mkdirSync(path);
      else if (bad.get(index) === "loop") symlinkSync(path, path);
      else writeFileSync(path, "x");
    });
    const { records, journal, worklist } = await worklistOf(dir.path, keys);
    journal.add(4095, "copied");
    const notes: string[] = [];
    const pass = { records, worklist, stop: running, note: (message: string) => notes.push(message) };
    await leaveOutUnreadable({ ...pass, root });
    const left = keys.map((_, index) => index).filter((index) => !worklist.isToDo(index));
    expect(left).toEqual([7, 4095, 4096, 4199]);
    const unproven = await worklist.explain([]);
    expect(unproven.records.map(({ index, class: kind }) => [index, kind])).toEqual([
      [7, "path"],
      [4096, "path"],
      [4199, "path"],
    ]);
    expect(unproven).toMatchObject({ settled: 3, unmentioned: 0, failure: "path" });
    expect(notes).toHaveLength(1);
  },
  limitMs(60_000),
);

test("a source that is no path, that is not there or does not answer in time is left to rclone", async () => {
  using dir = temporaryDirectory();
  mkdirSync(join(dir.path, "in", "became"), { recursive: true });
  for (const { root, limitMs } of [
    { root: undefined, limitMs: 60_000 },
    { root: join(dir.path, "none"), limitMs: 60_000 },
    { root: join(dir.path, "in"), limitMs: 0 },
  ]) {
    const { records, worklist } = await worklistOf(dir.path, ["became"]);
    const pass = { records, worklist, stop: running, note: () => undefined, batchLimitMs: limitMs };
    await leaveOutUnreadable({ ...pass, root });
    expect(worklist.isToDo(0)).toBe(true);
  }
});
