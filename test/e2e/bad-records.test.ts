import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Stage, state, timeoutMs, xferUnderModes } from "../stage/harness.ts";

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** The files below a directory, by their paths in it. */
function filesBelow(dir: string): string[] {
  const found = Bun.spawnSync(["find", dir, "-type", "f", "-printf", "%P\\0"]).stdout.toString();
  return found.split("\0").slice(0, -1).sort();
}

/** What the .fail of shard 0 says of each key. */
function failures(stage: Stage): Record<string, string> {
  const fail = state(stage.runDir, 0, "fail");
  return Object.fromEntries((fail?.errors ?? []).map(({ path, class: kind }) => [path, kind]));
}

for (const flags of ["--checkers 4 --transfers 4", "--checkers 4 --transfers 4 --copy-links"]) {
  test(
    `files that became something else after the listing, with ${flags}: all others arrive, each is named`,
    async () => {
      await using stage = await Stage.start();
      const [src, out] = [join(stage.dir, "in"), join(stage.dir, "out")];
      const good = Array.from({ length: 300 }, (_, i) => `d${i % 7}/file-${i}`);
      const closed = Array.from({ length: 5 }, (_, i) => `closed/${i}`);
      const bad = {
        "became/a-directory": "path",
        "became/a-pipe": "path",
        "became/a-loop": "path",
        "below/one": "missing",
        "gone/now": "missing",
        "closed-file": "auth",
        ...Object.fromEntries(closed.map((key) => [key, "auth"])),
      };
      for (const key of [...good, ...Object.keys(bad)]) write(join(src, key), `content of ${key}`);
      for (const dir of [stage.dir, out, stage.runDir]) {
        mkdirSync(dir, { recursive: true });
      }
      const manifest = join(stage.runDir, "manifest.jsonl");
      const roots = ["--source", src, "--dest", out];
      const listed = await xferUnderModes(
        ["manifest", "build", "--runtime", "host", ...roots, "--out", manifest],
        { cwd: stage.dir },
      );
      expect(listed).toMatchObject({ code: 0 });

      for (const name of ["a-directory", "a-pipe", "a-loop"]) rmSync(join(src, "became", name));
      mkdirSync(join(src, "became/a-directory"));
      Bun.spawnSync(["mkfifo", join(src, "became/a-pipe")]);
      symlinkSync("a-loop", join(src, "became/a-loop"));
      rmSync(join(src, "below"), { recursive: true });
      writeFileSync(join(src, "below"), "a file where a directory was");
      rmSync(join(src, "gone"), { recursive: true });
      chmodSync(join(src, "closed-file"), 0o000);
      chmodSync(join(src, "closed"), 0o000);

      const run = await xferUnderModes(
        [
          ...["run", "--executor", "local", ...roots, "--run-dir", stage.runDir, "--num-shards", "1"],
          ...["--rclone-flags", `${flags} --retries-sleep 10ms`],
        ],
        { cwd: stage.dir },
      );
      expect(run.code).toBe(1);
      const copied = filesBelow(out);
      expect(copied).toEqual([...good].sort());
      expect(copied.filter((key) => readFileSync(join(out, key), "utf8") !== `content of ${key}`)).toEqual(
        [],
      );
      expect(failures(stage)).toEqual(bad);
      expect(state(stage.runDir, 0, "fail")).toMatchObject({ final: true, attempt: 1, proven: good.length });
      // Told at once, and not tried again: nothing but the user cures any of them.
      const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
      expect(log).not.toContain("xfer: pass 3");
    },
    timeoutMs,
  );
}

test(
  "a POSIX destination where something stands in the way of some objects: all others arrive, each is named",
  async () => {
    await using stage = await Stage.start();
    const out = join(stage.dir, "out");
    const long = "n".repeat(300);
    const bad = ["file/below", "a-directory", "closed/1", "closed/2", long, "loop"];
    const good = Array.from({ length: 200 }, (_, i) => `set/${i % 5}/${i}`);
    for (const key of [...good, ...bad]) stage.source.put("data", key, `content of ${key}`);
    for (const dir of ["a-directory/full", "closed"]) mkdirSync(join(out, dir), { recursive: true });
    writeFileSync(join(out, "file"), "");
    symlinkSync("loop", join(out, "loop"));
    chmodSync(join(out, "closed"), 0o555);
    const run = await xferUnderModes(
      stage.runArgs("--dest", out, "--num-shards", "1", "--rclone-flags", "--retries-sleep 10ms"),
      { cwd: stage.dir },
    );
    expect(run.code).toBe(1);
    expect(filesBelow(out).filter((key) => key !== "file" && key !== "loop")).toEqual([...good].sort());
    const said = failures(stage);
    const list = readFileSync(join(stage.runDir, "manifest.untransferable.jsonl"), "utf8");
    expect(
      list
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line).key),
    ).toEqual([long]);
    // A newer rclone replaces the link, which is as good.
    if (!("loop" in said)) expect(readFileSync(join(out, "loop"), "utf8")).toBe("content of loop");
    expect<Record<string, string>>({ loop: "path", ...said }).toEqual({
      "file/below": "path",
      "a-directory": "path",
      "closed/1": "auth",
      "closed/2": "auth",
      loop: "path",
    });
  },
  timeoutMs,
);

/** Objects of an S3 source whose HEAD is refused, in a run that needs a HEAD for each. */
async function refuseHeads(stage: Stage, keys: readonly string[], bad: readonly string[], checkers: number) {
  for (const key of keys) stage.source.put("data", key, `content of ${key}`, { mtime: new Date(1.7e12) });
  stage.source.inject({ kinds: ["HEAD"], match: ({ key }) => bad.includes(key), action: "forbidden" });
  const flags = `--size-only --checkers ${checkers} --retries-sleep 10ms --low-level-retries 1`;
  return stage.xfer(...stage.runArgs("--num-shards", "1", "--rclone-flags", flags));
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) => `set/${String(i).padStart(4, "0")}`);

test(
  "objects that rclone may not look up: those beside them arrive, in few starts of rclone",
  async () => {
    await using stage = await Stage.start();
    const keys = numbered(400);
    const bad = ["set/0003", "set/0201", "set/0202"];
    const run = await refuseHeads(stage, keys, bad, 8);
    expect(run.code).toBe(1);
    expect(stage.dest.keys("copy").sort()).toEqual(keys.filter((key) => !bad.includes(key)));
    expect(failures(stage)).toEqual(Object.fromEntries(bad.map((key) => [key, "auth"])));
    const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
    expect(log.split(" ended: exit code").length - 1).toBeLessThanOrEqual(64);
  },
  timeoutMs,
);

test(
  "as many objects that rclone may not look up as it has checkers, so that some versions hang: all others arrive",
  async () => {
    await using stage = await Stage.start();
    const keys = numbered(60);
    const bad = keys.filter((_, i) => i % 10 === 0);
    const run = await refuseHeads(stage, keys, bad, 4);
    expect(run.code).toBe(1);
    expect(stage.dest.keys("copy").sort()).toEqual(keys.filter((key) => !bad.includes(key)));
    expect(failures(stage)).toEqual(Object.fromEntries(bad.map((key) => [key, "auth"])));
  },
  timeoutMs,
);
