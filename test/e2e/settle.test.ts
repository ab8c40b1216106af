import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { kill, processesWith, Stage, startXfer, state, timeoutMs, until, xfer } from "../stage/harness.ts";

/** The files below a directory that hold something else than the objects of the source, or are not there. */
async function differentFiles(stage: Stage, keys: readonly string[], out: string): Promise<string[]> {
  const different: string[] = [];
  for (const key of keys) {
    const path = join(out, key);
    const wanted = await stage.source.get("data", key);
    if (!existsSync(path) || !wanted || !readFileSync(path).equals(Buffer.from(wanted))) different.push(key);
  }
  return different;
}

function fillPlain(stage: Stage, count: number): string[] {
  const keys = Array.from({ length: count }, (_, i) => `set/${i % 7}/object-${i}`);
  for (const key of keys)
    stage.source.put("data", key, `content of ${key}`.repeat(20), { mtime: new Date(1.7e12) });
  stage.source.resetCounts();
  return keys;
}

const objects = 120;
const flags = ["--num-shards", "1", "--rclone-flags", "--transfers 4"];

for (const { what, otherBoot } of [
  { what: "a node that went down takes what it had not written: it is copied again", otherBoot: true },
  { what: "a killed agent on a node that lives: nothing is copied again", otherBoot: false },
]) {
  test(
    `to a POSIX destination: ${what}`,
    async () => {
      await using stage = await Stage.start();
      const keys = fillPlain(stage, objects);
      const out = join(stage.dir, "out");
      const args = stage.runArgs("--dest", out, ...flags);
      const release = stage.source.inject({ kinds: ["GET"], action: { delayMs: 150 } });
      const running = startXfer(args, { cwd: stage.dir });
      const journal = join(stage.runDir, "state", "shard_0.journal");
      await until(
        "a part of the journal",
        () => existsSync(journal) && /\nc/.test(readFileSync(journal, "utf8")),
      );
      for (const pid of processesWith(stage.dir)) kill(pid, "SIGKILL");
      await running.result;
      const lines = readFileSync(journal, "utf8").split("\n").slice(1, -1);
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.filter((line) => line.startsWith("s"))).toEqual([]);
      release();
      if (otherBoot) {
        // What a crash leaves of files that were never written out: their names and times, and no content.
        for (const key of keys) if (existsSync(join(out, key))) truncateSync(join(out, key), 0);
        const path = join(stage.runDir, "state", "shard_0.attempt");
        const attempt = JSON.parse(readFileSync(path, "utf8"));
        expect(attempt.boot).toMatch(/^[0-9a-f-]{36}$/);
        writeFileSync(path, JSON.stringify({ ...attempt, boot: "00000000-0000-0000-0000-000000000000" }));
      }
      await until("what was sent to arrive", () => stage.source.connections === 0);
      stage.source.resetCounts();
      const again = await xfer(args, { cwd: stage.dir });
      expect(again.stderr).not.toContain("error");
      expect(again.code).toBe(0);
      expect(await differentFiles(stage, keys, out)).toEqual([]);
      expect(stage.source.counts.GET).toBe(otherBoot ? objects : objects - lines.length);
      expect(readFileSync(journal, "utf8")).toMatch(/\ns\d+\n$/);
    },
    timeoutMs,
  );
}

test(
  "a file system that refuses delayed writes: no .done, the attempt fails in its words, and the next one copies again",
  async () => {
    await using stage = await Stage.start();
    const keys = fillPlain(stage, objects);
    const out = join(stage.dir, "out");
    // A stand-in for sync(1) on a disk that fails, the first time that it is asked.
    const bin = join(stage.dir, "bin");
    mkdirSync(bin);
    writeFileSync(
      join(bin, "sync"),
      `#!/bin/sh\n[ -e "${bin}/asked" ] && exec /bin/sync "$@"\n: > "${bin}/asked"\n` +
        `ls "${stage.runDir}/state" > "${bin}/state"\n` +
        `echo "sync: error syncing '${out}': Input/output error" >&2\nexit 1\n`,
    );
    chmodSync(join(bin, "sync"), 0o755);
    const env = { PATH: `${bin}:${process.env.PATH ?? ""}` };
    const run = await xfer(stage.runArgs("--dest", out, ...flags), { cwd: stage.dir, env });
    expect(run.code).toBe(0);
    const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
    expect(log).toMatch(/could not be brought onto stable storage: .*Input\/output error/);
    expect(readFileSync(join(bin, "state"), "utf8")).not.toContain(".done");
    expect(state(stage.runDir, 0, "attempt")).toMatchObject({ attempt: 2, spent: 1, outcome: "done" });
    expect(await differentFiles(stage, keys, out)).toEqual([]);
    expect(stage.source.counts.GET).toBe(2 * objects);
    expect(readdirSync(join(stage.runDir, "state")).filter((name) => name.endsWith(".fail"))).toEqual([]);
  },
  timeoutMs,
);
