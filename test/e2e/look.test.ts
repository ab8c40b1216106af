import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  Stage,
  startXfer,
  state,
  temporaryDirectory,
  timeoutMs,
  until,
  writeTree,
  xfer,
  xferUnderModes,
} from "../stage/harness.ts";

/** Puts an rclone ahead on PATH that notes each of its starts; gives the environment and the notes. */
function countingRclone(dir: string): { env: Record<string, string>; starts: () => string[] } {
  const bin = join(dir, "counting");
  const notes = join(dir, "rclone-starts");
  mkdirSync(bin);
  writeFileSync(notes, "");
  const real = Bun.which("rclone") ?? "";
  writeFileSync(
    join(bin, "rclone"),
    `#!/bin/sh\necho "$1" >> '${notes.replaceAll("'", "'\\''")}'\nexec '${real}' "$@"\n`,
  );
  chmodSync(join(bin, "rclone"), 0o755);
  return {
    env: { PATH: `${bin}:${process.env.PATH}` },
    starts: () => readFileSync(notes, "utf8").trimEnd().split("\n"),
  };
}

/** A run whose destination holds all but some objects already, with its state gone. */
async function almostThere(
  stage: Stage,
  count: number,
  shards: number,
): Promise<{ keys: string[]; args: string[] }> {
  const keys = stage.fill(count, 20_000);
  const args = stage.runArgs("--num-shards", String(shards), "--no-verify");
  expect((await stage.xfer(...args)).code).toBe(0);
  rmSync(join(stage.runDir, "state"), { recursive: true });
  for (const key of keys.slice(0, 10)) stage.dest.remove("copy", key);
  stage.dest.resetCounts();
  return { keys, args };
}

test(
  "one look for all shards: one start of rclone and one listing, and only what is missing is copied",
  async () => {
    await using stage = await Stage.start();
    const { keys, args } = await almostThere(stage, 1_200, 8);
    const { env, starts } = countingRclone(stage.dir);
    const again = await xfer([...args, "--json"], { cwd: stage.dir, env });
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({
      copied: { objects: 10 },
      unchanged: { objects: 1_190 },
    });
    expect(stage.dest.counts.PUT).toBe(10);
    expect(starts().filter((command) => command === "lsjson").length).toBe(1);
    expect(starts().filter((command) => command !== "lsjson" && command !== "copy")).toEqual([]);
    await stage.expectEqual(keys);
    expect(existsSync(join(stage.runDir, "state", "destination.claim"))).toBe(false);
  },
  timeoutMs,
);

test(
  "a look that is refused once is tried again: nothing that is there is copied",
  async () => {
    await using stage = await Stage.start();
    const { keys, args } = await almostThere(stage, 300, 3);
    stage.dest.inject({ kinds: ["LIST"], action: "internal-error", times: 10 });
    const again = await stage.xfer(...args, "--json", "--rclone-flags", "--retries 3 --low-level-retries 1");
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ copied: { objects: 10 }, unchanged: { objects: 290 } });
    expect(stage.dest.counts.PUT).toBe(10);
    await stage.expectEqual(keys);
  },
  timeoutMs,
);

test(
  "a destination that refuses its listing: exit code 1, class auth, nothing copied, and no answer is kept",
  async () => {
    await using stage = await Stage.start();
    const { keys, args } = await almostThere(stage, 300, 3);
    const release = stage.dest.inject({ kinds: ["LIST"], action: "forbidden" });
    const refused = await stage.xfer(...args, "--json");
    expect(refused.code).toBe(1);
    for (const shard of [0, 1, 2]) {
      expect(state(stage.runDir, shard, "fail")).toMatchObject({ class: "auth", final: true, proven: 0 });
      expect(state(stage.runDir, shard, "fail")?.message).toContain("AccessDenied");
    }
    expect(stage.dest.counts.PUT).toBe(0);
    expect(existsSync(join(stage.runDir, "state", "destination.json"))).toBe(false);
    release();
    const again = await stage.xfer(...args, "--json");
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ copied: { objects: 10 }, unchanged: { objects: 290 } });
    await stage.expectEqual(keys);
  },
  timeoutMs,
);

test(
  "the others wait for the look, and one of them takes over when the agent that looks is killed",
  async () => {
    await using stage = await Stage.start();
    const { keys, args } = await almostThere(stage, 300, 3);
    const release = stage.dest.inject({ kinds: ["LIST"], action: "stall" });
    const running = startXfer([...args, "--array-concurrency", "3", "--json"], { cwd: stage.dir });
    const claim = join(stage.runDir, "state", "destination.claim");
    await until("the stalled look", () => existsSync(claim) && stage.dest.counts.LIST > 0);
    const { process: looking } = JSON.parse(readFileSync(claim, "utf8"));
    release();
    process.kill(looking.pid, "SIGKILL");
    const result = await running.result;
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ copied: { objects: 10 }, unchanged: { objects: 290 } });
    expect(stage.dest.counts.LIST).toBe(2);
    expect(readdirSync(join(stage.runDir, "state")).filter((name) => name.includes("claim"))).toEqual([]);
    await stage.expectEqual(keys);
  },
  timeoutMs,
);

test(
  "a refusal that passes: those whose look failed are looked at again by the same command, and nothing is copied twice",
  async () => {
    await using stage = await Stage.start();
    const { keys, args } = await almostThere(stage, 300, 3);
    stage.dest.inject({ kinds: ["LIST"], action: "forbidden", times: 1 });
    expect((await stage.xfer(...args)).code).toBe(1);
    const again = await stage.xfer(...args, "--json");
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ copied: { objects: 10 }, unchanged: { objects: 290 } });
    expect(stage.dest.counts.PUT).toBe(10);
    await stage.expectEqual(keys);
  },
  timeoutMs,
);

test(
  "a folder of the destination that may not be read: what belongs there is named, all else is taken as it is",
  async () => {
    using dir = temporaryDirectory("xfer-look-");
    const files = writeTree(join(dir.path, "in"), 60);
    const args = ["run", "--executor", "local", "--source", "in", "--dest", "out", "--num-shards", "2"];
    const run = async (runDir: string) => {
      const { code, stdout } = await xferUnderModes([...args, "--run-dir", runDir, "--json"], {
        cwd: dir.path,
      });
      return { account: JSON.parse(stdout), code };
    };
    expect((await run("first")).code).toBe(0);
    const folder = [...files.keys()].map((key) => key.split("/")).find((path) => path.length > 1)?.[0] ?? "";
    const below = [...files.keys()].filter((key) => key.startsWith(`${folder}/`));
    expect(below.length).toBeGreaterThan(0);
    chmodSync(join(dir.path, "out", folder), 0);
    const second = await run("second");
    expect(second).toMatchObject({
      code: 1,
      account: {
        copied: { objects: 0 },
        unchanged: { objects: files.size - below.length },
        failed: { objects: below.length },
      },
    });
    const failed = [0, 1].flatMap((shard) => state(join(dir.path, "second"), shard, "fail")?.errors ?? []);
    expect(failed.map(({ path }) => path).sort()).toEqual(below.sort());
    chmodSync(join(dir.path, "out", folder), 0o755);
    const third = await run("second");
    expect(third).toMatchObject({
      code: 0,
      account: { copied: { objects: 0 }, unchanged: { objects: files.size } },
    });
  },
  timeoutMs,
);

test(
  "a folder at the destination that rclone cannot list decides over nothing but what belongs there",
  async () => {
    await using stage = await Stage.start();
    using tree = temporaryDirectory();
    const keys = stage.fill(40, 2_000);
    const out = join(tree.path, "out");
    // rclone quotes the quote and the symbol, and then asks for another name.
    mkdirSync(join(out, "\u201b\u240a"), { recursive: true });
    writeFileSync(join(out, "\u201b\u240a", "foreign"), "not of the run");
    const args = ["run", "--executor", "local", "--source", "src:data", "--dest", out];
    const run = await stage.xfer(
      ...args,
      "--rclone-config",
      stage.conf,
      "--run-dir",
      "r",
      "--num-shards",
      "2",
    );
    expect(run.stdout).toContain("verified: 40 by size");
    expect(run.code).toBe(0);
    for (const key of keys) {
      expect(readFileSync(join(out, key)).equals((await stage.source.get("data", key)) ?? Buffer.of())).toBe(
        true,
      );
    }
    expect(readFileSync(join(out, "\u201b\u240a", "foreign"), "utf8")).toBe("not of the run");
  },
  timeoutMs,
);
