import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../data/fill.ts";
import { listedName } from "../data/hostile-names.ts";
import { binary, kill, processesWith, Stage, startXfer, state, timeoutMs, until, xfer } from "./harness.ts";

/**
 * The fault matrix: each row disturbs a local run of 2 shards, heals what it broke, and runs the same command until it
 * says that it is done. Then the destination must hold the same bytes; and at no moment may a .done have been false.
 */
interface Row {
  what: string;
  /** More flags for the run. */
  flags?: string[];
  /** Starts the fault before the run; the returned function ends it. */
  before?: (stage: Stage, keys: string[]) => (() => void) | undefined | Promise<undefined>;
  /** Disturbs while the run goes on. */
  during?: (stage: Stage, keys: string[]) => Promise<void>;
  /** What the disturbed run must have said. */
  first?: (result: { code: number; stdout: string; stderr: string }, stage: Stage) => void;
  /** Breaks or mends what lies there between the runs. */
  between?: (stage: Stage, keys: string[]) => void | Promise<void>;
  /** Upper bound of PUTs beyond one an object. */
  extraPuts?: number;
}

const objects = 100;
const slow = { kinds: ["PUT" as const], action: { delayMs: 100 } };
const quick = "--transfers 4 --retries 3 --retries-sleep 100ms --low-level-retries 3";

const midway = (stage: Stage) => until("half of the objects", () => stage.dest.counts.PUT > objects / 2);
const stopMidway = async (stage: Stage) => {
  await midway(stage);
  for (const pid of processesWith(`run\0--executor\0local`)) {
    if (processesWith(stage.dir).includes(pid)) kill(pid, "SIGTERM");
  }
};
const stateFile = (stage: Stage, name: string) => join(stage.runDir, "state", name);

const rows: Row[] = [
  {
    what: "503 SlowDown on 20 % of the requests",
    before: (stage) => {
      const ends = [stage.source, stage.dest].map((endpoint, i) =>
        endpoint.inject({ kinds: ["GET", "PUT"], action: "slowdown", probability: 0.2, seed: 7 + i }),
      );
      return () => {
        for (const end of ends) end();
      };
    },
  },
  {
    what: "429 on everything for a while: fewer transfers and a wait before the next attempt",
    flags: ["--rclone-flags", "--transfers 8 --retries 1 --retries-sleep 50ms --low-level-retries 1"],
    before: (stage) => stage.dest.inject({ kinds: ["PUT"], action: "too-many", times: 12 }),
    first: (_result, stage) => {
      const lowered = [0, 1].map((shard) =>
        JSON.parse(readFileSync(stateFile(stage, `shard_${shard}.attempt`), "utf8")),
      );
      expect(lowered.some(({ transfers }) => transfers !== null && transfers < 8)).toBe(true);
    },
  },
  {
    what: "connections reset, also in the middle of a body",
    before: (stage) => {
      const ends = [
        stage.source.inject({ kinds: ["GET"], action: { resetAfterBytes: 500 }, probability: 0.1, seed: 3 }),
        stage.dest.inject({ kinds: ["PUT"], action: "reset", probability: 0.1, seed: 4 }),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
  },
  {
    what: "answers that never come, longer than rclone's timeout",
    flags: ["--rclone-flags", `${quick} --timeout 2s --contimeout 2s`],
    before: (stage) => stage.dest.inject({ kinds: ["PUT"], action: "stall", times: 4 }),
  },
  {
    what: "500 on every PUT of some objects until the run has failed",
    flags: ["--rclone-flags", "--retries 1 --low-level-retries 1", "--max-attempts", "1"],
    before: (stage, keys) => {
      const bad = new Set(keys.slice(40, 43));
      return stage.dest.inject({
        kinds: ["PUT"],
        match: ({ key }) => bad.has(key),
        action: "internal-error",
      });
    },
    first: (result) => expect(result.code).toBe(1),
  },
  {
    what: "a source object that changed its size after the listing",
    before: (stage, keys) => {
      stage.source.inject({
        kinds: ["GET"],
        match: () => {
          stage.source.put("data", keys[30] ?? "", "grown, and not what was listed", {
            mtime: new Date(1.7e12),
          });
          return false;
        },
        action: "reset",
        times: 1,
      });
      return undefined;
    },
  },
  {
    what: "a torn journal: what is left of it counts, the rest is copied again",
    before: (stage) => stage.dest.inject(slow),
    during: stopMidway,
    between: (stage) => {
      const path = stateFile(stage, "shard_0.journal");
      truncateSync(path, Math.max(0, statSync(path).size - 5));
    },
    extraPuts: 2 * 4 + 4,
  },
  {
    what: "a journal with rubbish in its middle, one that is another shard's, and one that is empty",
    before: (stage) => stage.dest.inject(slow),
    during: stopMidway,
    between: (stage) => {
      appendFileSync(stateFile(stage, "shard_0.journal"), "\0\0\0\nc1\nc2\nc3\n");
      const other = readFileSync(stateFile(stage, "shard_0.journal"));
      writeFileSync(stateFile(stage, "shard_1.journal"), other);
    },
  },
  {
    what: "torn .progress, empty .attempt, foreign .done and .fail",
    before: (stage) => stage.dest.inject(slow),
    during: stopMidway,
    between: (stage) => {
      writeFileSync(stateFile(stage, "shard_0.progress"), '{"schema":"xfer.prog');
      writeFileSync(stateFile(stage, "shard_0.attempt"), "");
      writeFileSync(stateFile(stage, "shard_0.done"), "done\n");
      writeFileSync(stateFile(stage, "shard_1.fail"), "{}");
      const done = { schema: "xfer.done.v1", shard: 1, sha256: "0".repeat(64), records: 50, bytes: 1 };
      writeFileSync(
        stateFile(stage, "shard_1.done"),
        JSON.stringify({ ...done, copied: 50, copied_bytes: 1, attempt: 1, node: "n", finished_at: "" }),
      );
    },
    extraPuts: 2 * 4 + 4,
  },
  {
    what: "a lock that an agent on another host left behind",
    before: (stage) => stage.dest.inject(slow),
    during: stopMidway,
    between: (stage) => {
      const lock = {
        schema: "xfer.lock.v1",
        token: "t",
        host: "elsewhere",
        agent: { pid: 1, start: "1" },
        submission: "x",
      };
      writeFileSync(stateFile(stage, "shard_0.lock"), JSON.stringify(lock));
      writeFileSync(stateFile(stage, "shard_1.lock"), "");
    },
    extraPuts: 2 * 4 + 4,
  },
  {
    what: "a wrong key: stops at once, is not tried again, and says so",
    between: (stage) => writeFileSync(stage.conf, confOf(stage)),
    before: async (stage) => {
      const build = await stage.xfer(
        ...["manifest", "build", "--runtime", "host", "--source", "src:data", "--dest", "dst:copy"],
        ...["--rclone-config", stage.conf, "--out", join(stage.runDir, "manifest.jsonl")],
      );
      expect(build.code).toBe(0);
      writeFileSync(
        stage.conf,
        confOf(stage).replaceAll(/secret_access_key = .*/g, "secret_access_key = wrong"),
      );
      stage.dest.resetCounts();
      return undefined;
    },
    first: (result, stage) => {
      expect(result.code).toBe(1);
      expect(state(stage.runDir, 0, "fail")).toMatchObject({ class: "auth", final: true, attempt: 1 });
      expect(result.stdout).toMatch(/auth: .*(SignatureDoesNotMatch|403)/);
    },
  },
  {
    what: "an rclone.conf that is gone when the agents start",
    before: async (stage) => {
      const prepared = await stage.xfer(...renderArgs(stage, "--num-shards", "2"));
      expect(prepared.code).toBe(0);
      rmSync(stage.conf);
      return undefined;
    },
    first: (result) => {
      expect(result.code).toBe(2);
      expect(result.stderr).toMatch(/--rclone-config: .*rclone\.conf: no such file/);
    },
    between: async (stage) => {
      const agent = await stage.xfer("agent", "--run-dir", stage.runDir, "--shard", "0");
      expect(agent.code).toBe(1);
      expect(state(stage.runDir, 0, "fail")).toMatchObject({ class: "config", final: true });
      writeFileSync(stage.conf, confOf(stage), { mode: 0o600 });
    },
  },
];

/** `xfer run` up to the point where agents can be started by hand. */
function renderArgs(stage: Stage, ...more: string[]): string[] {
  const slurm = stage.runArgs(...more).map((word) => (word === "local" ? "slurm" : word));
  return [...slurm, "--runtime", "host"];
}

function confOf(stage: Stage): string {
  return `${stage.source.rcloneSection("src")}\n${stage.dest.rcloneSection("dst")}\n`;
}

/** Watches, until it is ended, that no .done is there before every object of its shard is. */
function watchForFalseDone(stage: Stage): { end: () => Promise<string[]> } {
  const found: string[] = [];
  const meta = join(stage.runDir, "shards", "shards.meta.json");
  const look = () => {
    if (!existsSync(meta)) return;
    const digests = JSON.parse(readFileSync(meta, "utf8")).shards as { sha256: string; file: string }[];
    digests.forEach(({ sha256, file }, shard) => {
      const path = stateFile(stage, `shard_${shard}.done`);
      // A .done of other content is no claim about this shard.
      if (!existsSync(path) || !readFileSync(path, "utf8").includes(sha256)) return;
      const there = new Set(stage.dest.keys("copy").map(listedName));
      for (const line of readFileSync(join(stage.runDir, "shards", file), "utf8")
        .trimEnd()
        .split("\n")) {
        const { path: key } = JSON.parse(line) as { path: string };
        if (!there.has(key)) found.push(`shard ${shard}: ${key}`);
      }
    });
  };
  const timer = setInterval(look, 100);
  return {
    end: async () => {
      clearInterval(timer);
      look();
      return found;
    },
  };
}

describe("the fault matrix", () => {
  for (const row of rows) {
    test(
      row.what,
      async () => {
        await using stage = await Stage.start();
        const keys = stage.fill(objects, 40_000);
        const watch = watchForFalseDone(stage);
        const heal = await row.before?.(stage, keys);
        const args = stage.runArgs("--num-shards", "2", "--rclone-flags", quick, ...(row.flags ?? []));
        const running = startXfer(args, { cwd: stage.dir });
        await row.during?.(stage, keys);
        row.first?.(await running.result, stage);
        await running.result;
        heal?.();
        await row.between?.(stage, keys);
        const again = await stage.xfer(...args);
        expect(again.stderr).not.toContain("bug in xfer");
        expect(again.code).toBe(0);
        await stage.expectEqual(keys);
        expect(await watch.end()).toEqual([]);
        if (row.extraPuts !== undefined)
          expect(stage.dest.counts.PUT).toBeLessThanOrEqual(objects + row.extraPuts);
        expect(processesWith(stage.dir)).toEqual([]);
      },
      timeoutMs,
    );
  }
});

test(
  "30 kills -9 of rclones, agents and executors at random moments",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(300, 20_000);
    const watch = watchForFalseDone(stage);
    const release = stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 60 } });
    const random = seededRandom(30);
    const args = stage.runArgs(
      "--num-shards",
      "3",
      "--rclone-flags",
      quick,
      "--array-concurrency",
      "2",
      "--max-attempts",
      "50",
    );
    let kills = 0;
    for (let runs = 0; kills < 30 && runs < 60; runs++) {
      const running = startXfer(args, { cwd: stage.dir });
      let ended = false;
      void running.result.then(() => {
        ended = true;
      });
      while (!ended && kills < 30) {
        await Bun.sleep(40 + random() * 250);
        const victims = processesWith(stage.dir);
        const victim = victims[Math.floor(random() * victims.length)];
        if (victim === undefined || stage.dest.counts.PUT === 0) continue;
        kill(victim, "SIGKILL");
        kills++;
      }
      if (kills >= 30) kill(running.pid, "SIGKILL");
      const result = await running.result;
      // A run that came through begins anew, with nothing of its state but the destination.
      if (result.code === 0) rmSync(join(stage.runDir, "state"), { recursive: true });
    }
    expect(kills).toBe(30);
    release();
    await until("what outlived its parent to end", () => processesWith(stage.dir).length === 0);
    expect((await stage.xfer(...args)).code).toBe(0);
    await stage.expectEqual(keys);
    expect(await watch.end()).toEqual([]);
  },
  timeoutMs,
);

test(
  "the agent killed at each of its state writes: it always goes on, and never says done too early",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(12, 2_000);
    const args = renderArgs(stage, "--num-shards", "1");
    expect((await stage.xfer(...args)).code).toBe(0);
    const watch = watchForFalseDone(stage);
    const agent = [binary, "agent", "--run-dir", stage.runDir, "--shard", "0"];
    let points = 0;
    for (const call of ["rename", "fsync", "link", "unlink", "ftruncate"]) {
      for (let nth = 1; ; nth++) {
        rmSync(join(stage.runDir, "state"), { recursive: true, force: true });
        for (const key of stage.dest.keys("copy")) stage.dest.remove("copy", key);
        const strace = [
          "strace",
          "-qq",
          "-o",
          "/dev/null",
          "-e",
          `trace=${call}`,
          "-e",
          `inject=${call}:signal=SIGKILL:when=${nth}`,
        ];
        const killed = Bun.spawn([...strace, ...agent], {
          stdout: "ignore",
          stderr: "pipe",
          env: { PATH: process.env.PATH ?? "" },
        });
        const said = await killed.stderr.text();
        if ((await killed.exited) === 0) break;
        if (/strace:/.test(said)) throw new Error(said);
        points++;
        await until("an orphaned rclone to end", () => processesWith(stage.dir).length === 0);
        const after = await xfer(["agent", "--run-dir", stage.runDir, "--shard", "0"], { cwd: stage.dir });
        expect([call, nth, after.code, after.stderr.includes("bug")]).toEqual([call, nth, 0, false]);
        await stage.expectEqual(keys);
      }
    }
    expect(points).toBeGreaterThan(15);
    expect(await watch.end()).toEqual([]);
  },
  2 * timeoutMs,
);

test(
  "two agents on one shard: the second says so and touches nothing",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(60, 2_000);
    const args = renderArgs(stage, "--num-shards", "1", "--rclone-flags", quick);
    expect((await stage.xfer(...args)).code).toBe(0);
    const release = stage.dest.inject(slow);
    const agent = ["agent", "--run-dir", stage.runDir, "--shard", "0"];
    const starts = [
      startXfer(agent, { cwd: stage.dir }),
      startXfer(agent, { cwd: stage.dir }),
      startXfer(agent, { cwd: stage.dir }),
    ];
    const results = await Promise.all(starts.map(({ result }) => result));
    release();
    expect(results.map(({ code }) => code).sort()).toEqual([0, 1, 1]);
    for (const { code, stderr } of results) {
      if (code === 1) expect(stderr).toContain("shard 0: another agent is at work on it (");
    }
    await stage.expectEqual(keys);
    expect(stage.dest.counts.PUT).toBe(60);
    expect(readdirSync(join(stage.runDir, "logs")).filter((name) => name.includes("_attempt_"))).toHaveLength(
      1,
    );
  },
  timeoutMs,
);

/** A filesystem of so many bytes at a directory, gone when it goes out of scope. */
function smallFilesystem(path: string, kibibytes: number): { resize(kibibytes: number): void } & Disposable {
  mkdirSync(path, { recursive: true });
  const run = (...argv: string[]) => {
    const result = Bun.spawnSync(argv);
    if (result.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${result.stderr.toString()}`);
  };
  run("mount", "-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", path);
  return {
    resize: (size) => run("mount", "-o", `remount,size=${size}k`, path),
    [Symbol.dispose]: () => run("umount", "-l", path),
  };
}

test(
  "a destination that is full: named as such; with room again, the rest is copied",
  async () => {
    await using stage = await Stage.start();
    const dest = join(stage.dir, "small disk");
    using disk = smallFilesystem(dest, 512);
    const sizes = new Map<string, number>();
    for (let i = 0; i < 40; i++) {
      stage.source.put("data", `k${i}`, new Uint8Array(50_000).fill(i), { mtime: new Date(1.7e12) });
      sizes.set(`k${i}`, i);
    }
    const args = stage.runArgs(
      "--dest",
      dest,
      "--num-shards",
      "2",
      "--rclone-flags",
      quick,
      "--max-attempts",
      "1",
    );
    const full = await stage.xfer(...args);
    expect(full.code).toBe(1);
    expect(full.stdout).toContain("destination-full");
    expect(state(stage.runDir, 1, "fail") ?? state(stage.runDir, 0, "fail")).toMatchObject({
      class: "destination-full",
    });
    disk.resize(8_000);
    expect((await stage.xfer(...args)).code).toBe(0);
    for (const [key, value] of sizes) {
      expect(readFileSync(join(dest, key)).equals(new Uint8Array(50_000).fill(value)), key).toBe(true);
    }
  },
  timeoutMs,
);

test(
  "a state directory that is full: the agent stops with a line that says so; with room again it goes on",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(80, 2_000);
    using disk = smallFilesystem(join(stage.runDir, "state"), 64);
    const release = stage.dest.inject(slow);
    const args = stage.runArgs("--num-shards", "1", "--rclone-flags", quick);
    const running = startXfer(args, { cwd: stage.dir });
    await until("some objects to be copied", () => stage.dest.counts.PUT > 10);
    // dd ends with an error when the filesystem is full, which is what is wanted.
    Bun.spawnSync(["dd", "if=/dev/zero", `of=${stateFile(stage, "filler")}`, "bs=4096"], {
      stderr: "ignore",
    });
    const result = await running.result;
    expect(result.code).toBe(1);
    expect(`${result.stderr}${readFileSync(join(stage.runDir, "logs", "agent_0.out"), "utf8")}`).toMatch(
      /no space left on device/i,
    );
    expect(state(stage.runDir, 0, "done")).toBeUndefined();
    expect(processesWith(stage.dir)).toEqual([]);
    release();
    disk.resize(10_000);
    rmSync(stateFile(stage, "filler"));
    expect((await stage.xfer(...args)).code).toBe(0);
    await stage.expectEqual(keys);
  },
  timeoutMs,
);
