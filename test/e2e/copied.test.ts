import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Account } from "../../lib/run/account.ts";
import { Stage, state, timeoutMs, writeTree, xfer } from "../stage/harness.ts";

/** Holds an account to the objects that were listed, and to those of them that were copied. */
function expectCounts(stdout: string, listed: readonly Uint8Array[], copied: readonly Uint8Array[]): void {
  const account: Account = JSON.parse(stdout);
  const amount = (bodies: readonly Uint8Array[]) => ({
    objects: bodies.length,
    bytes: bodies.reduce((sum, body) => sum + body.length, 0),
  });
  const [all, part] = [amount(listed), amount(copied)];
  const none = { objects: 0, bytes: 0 };
  expect(account).toMatchObject({
    ...{ listed: all, copied: part, failed: none, unfinished: none, untransferable: none },
    unchanged: { objects: all.objects - part.objects, bytes: all.bytes - part.bytes },
  });
}

test.each([[[]], [["--delta"]], [["--delta", "--compare", "checksum"]]])(
  "half of the objects are there: what is put is what is counted as copied: run %p",
  async (flags: string[]) => {
    await using stage = await Stage.start();
    const keys = stage.fill(60, 5_000);
    const bodies = await Promise.all(
      keys.map(async (key) => (await stage.source.get("data", key)) ?? fail()),
    );
    const there = 30;
    for (const [i, key] of keys.slice(0, there).entries()) stage.dest.put("copy", key, bodies[i] ?? fail());
    stage.dest.resetCounts();
    const args = stage.runArgs("--num-shards", "2", "--json");
    const first = await stage.xfer(...args, ...flags);
    expect(first.code).toBe(0);
    expect(stage.dest.counts.PUT).toBe(60 - there);
    expectCounts(first.stdout, bodies, bodies.slice(there));
    const done = [0, 1].map((shard) => state(stage.runDir, shard, "done") as unknown as { copied: number });
    expect(done.reduce((sum, { copied }) => sum + copied, 0)).toBe(60 - there);
    const log = [0, 1].map((shard) => readFileSync(join(stage.runDir, "logs", `agent_${shard}.out`), "utf8"));
    const told = log.map((text) => Number(/done: (\d+) objects?, .* copied/.exec(text)?.[1]));
    expect(told.reduce((sum, copied) => sum + copied, 0)).toBe(60 - there);
    // The account is of the run: a start of it that finds all done tells the same.
    const again = await stage.xfer(...args);
    expect(again.stderr).toContain("nothing to copy; the account is the whole run's");
    expectCounts(again.stdout, bodies, bodies.slice(there));
    expect(stage.dest.counts.PUT).toBe(60 - there);
    const other = await stage.xfer(...args, ...flags, "--run-dir", "other");
    expectCounts(other.stdout, bodies, []);
  },
  timeoutMs,
);

test(
  "between paths, files that are there are counted as unchanged",
  async () => {
    await using stage = await Stage.start();
    const [from, to] = [join(stage.dir, "from"), join(stage.dir, "to")];
    const files = [...writeTree(from, 40)];
    for (const [key, { mtime }] of files.slice(0, 15)) {
      const path = join(to, key);
      mkdirSync(dirname(path), { recursive: true });
      copyFileSync(join(from, key), path);
      utimesSync(path, mtime, mtime);
    }
    const bodies = files.map(([, { body }]) => body);
    for (const flags of [["--delta"], []]) {
      const args = ["run", "--executor", "local", "--source", from, "--dest", to, "--json"];
      const run = await xfer([...args, "--run-dir", `run${flags}`, ...flags], { cwd: stage.dir });
      expect(run.code).toBe(0);
      expectCounts(run.stdout, bodies, flags.length > 0 ? bodies.slice(15) : []);
    }
  },
  timeoutMs,
);

function fail(): never {
  throw new Error("no such object");
}
