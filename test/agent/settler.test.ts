import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Settler } from "../../agent/settler.ts";
import type { LocalEnds } from "../../lib/rclone/local-ends.ts";
import { Journal, readJournal } from "../../lib/run/journal.ts";
import { limitMs } from "../setup/pace.ts";
import { processesWith, temporaryDirectory, until } from "../stage/harness.ts";

const running = new AbortController().signal;
const roots = { source_root: "src:b", dest_root: "dst:b" };
const shard = { sha256: "a".repeat(64), records: 100, roots };
const header = `xfer.journal.v1 ${shard.sha256} ["src:b","dst:b"]\n`;
const at = (...paths: string[]): LocalEnds => ({ paths, certain: true });

test("what was copied is settled now and then, and at the end; nothing new is not settled again", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "j");
  const journal = new Journal(path, shard);
  const settler = new Settler(at(dir.path), journal, 20);
  journal.add(3, "copied");
  await until("a first settling", () => readFileSync(path, "utf8").includes("\ns"));
  expect(readFileSync(path, "utf8")).toBe(`${header}c3\ns${header.length + 3}\n`);
  journal.add(42, "unchanged");
  expect(await settler.settle(running)).toBeUndefined();
  const text = readFileSync(path, "utf8");
  expect(await settler.settle(running)).toBeUndefined();
  settler.end();
  expect(readFileSync(path, "utf8")).toBe(text);
  expect(text.endsWith(`u42\ns${text.lastIndexOf("s")}\n`)).toBe(true);
  journal.close();
  const again = new Journal(path, shard);
  again.dropUnsettled();
  expect(again.proofs.count).toBe(2);
  again.add(7, "copied");
  again.flush();
  again.dropUnsettled();
  expect([again.proofs.get(3), again.proofs.get(42), again.proofs.get(7)]).toEqual([
    "copied",
    "unchanged",
    undefined,
  ]);
  again.close();
  expect(readJournal(path, shard).proofs.count).toBe(2);
});

test("entries that came while a settling was under way are not settled by it", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "j");
  const journal = new Journal(path, shard);
  journal.add(1, "copied");
  const upTo = journal.flush();
  journal.add(2, "copied");
  journal.settle(upTo);
  journal.close();
  expect(readFileSync(path, "utf8")).toBe(`${header}c1\nc2\ns${upTo}\n`);
  for (let times = 0; times < 2; times++) {
    const again = new Journal(path, shard);
    again.dropUnsettled();
    expect([again.proofs.get(1), again.proofs.get(2)]).toEqual(["copied", undefined]);
    again.close();
  }
});

test("a file system that refuses a write leaves proven only what was settled before", async () => {
  using dir = temporaryDirectory();
  const journal = new Journal(join(dir.path, "j"), shard);
  journal.add(1, "copied");
  const good = new Settler(at(dir.path), journal);
  expect(await good.settle(running)).toBeUndefined();
  good.end();
  journal.add(2, "copied");
  const bad = new Settler(at(join(dir.path, "gone")), journal);
  expect(await bad.settle(running)).toMatch(/could not be brought onto stable storage: .*No such file/);
  bad.end();
  expect([journal.proofs.get(1), journal.proofs.get(2)]).toEqual(["copied", undefined]);
  journal.close();
});

test("a settling mark that cannot be true ends what a journal proves", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "j");
  for (const mark of ["s0", `s${header.length + 100}`, "s99999999999", "s"]) {
    Bun.write(path, `${header}c1\n${mark}\nc2\n`);
    const { proofs, settledBytes } = readJournal(path, shard);
    expect([proofs.count, settledBytes]).toEqual([1, header.length]);
  }
});

/** Puts a stand-in for sync(1) on PATH for as long as it is in scope. */
function standInSync(dir: string, script: string): Disposable {
  const bin = join(dir, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "sync"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const path = process.env.PATH;
  process.env.PATH = `${bin}:${path}`;
  return {
    [Symbol.dispose]: () => {
      process.env.PATH = path;
    },
  };
}

for (const refusal of ["sync: invalid option -- 'f'", "sync: error opening '/x': Permission denied"]) {
  test(`where one file system cannot be synced by itself, all are: ${refusal}`, async () => {
    using dir = temporaryDirectory();
    const asked = join(dir.path, "asked");
    using _ = standInSync(
      dir.path,
      `echo "$LC_ALL $1" >>'${asked.replaceAll("'", "'\\''")}'; [ -z "$1" ] || { echo "${refusal}" >&2; exit 1; }`,
    );
    const journal = new Journal(join(dir.path, "j"), shard);
    journal.add(1, "copied");
    const settler = new Settler(at(dir.path), journal);
    expect(await settler.settle(running)).toBeUndefined();
    settler.end();
    journal.close();
    expect(readFileSync(asked, "utf8")).toBe("C -f\nC \n");
    expect(readJournal(join(dir.path, "j"), shard).settledBytes).toBeGreaterThan(header.length);
  });
}

test(
  "a stop does not wait for a file system that hangs",
  async () => {
    using dir = temporaryDirectory();
    using _ = standInSync(dir.path, "exec sleep 61.237");
    try {
      const journal = new Journal(join(dir.path, "j"), shard);
      journal.add(1, "copied");
      const stop = new AbortController();
      const settler = new Settler(at(dir.path), journal);
      const settled = settler.settle(stop.signal);
      stop.abort("SIGTERM");
      expect(await settled).toBeUndefined();
      settler.end();
      expect(journal.proofs.count).toBe(1);
      expect(readJournal(join(dir.path, "j"), shard).settledBytes).toBe(header.length);
      journal.close();
    } finally {
      for (const pid of processesWith("sleep\x0061.237")) process.kill(pid, "SIGKILL");
    }
  },
  limitMs(60_000),
);
