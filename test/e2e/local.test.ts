import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sampleObjects } from "../data/fill.ts";
import { listedName } from "../data/hostile-names.ts";
import {
  kill,
  processesWith,
  Stage,
  startXfer,
  state,
  temporaryDirectory,
  timeoutMs,
  until,
  xfer,
} from "./harness.ts";

/** Names that a POSIX tree can hold as they are: an object's name is a file's. */
function writeTree(dir: string, count: number): Map<string, { body: Uint8Array; mtime: Date }> {
  const files = new Map<string, { body: Uint8Array; mtime: Date }>();
  for (const { key, body, mtime } of sampleObjects(count, 200_000)) {
    const path = join(dir, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, body);
    utimesSync(path, mtime, mtime);
    files.set(key, { body, mtime });
  }
  return files;
}

function expectTree(dir: string, files: ReadonlyMap<string, { body: Uint8Array; mtime: Date }>): void {
  const different = [...files].filter(([key, { body, mtime }]) => {
    const path = join(dir, key);
    const there = statSync(path, { throwIfNoEntry: false });
    if (!there || Math.abs(there.mtimeMs - mtime.getTime()) > 1) return true;
    return !readFileSync(path).equals(body);
  });
  expect(different.map(([key]) => key)).toEqual([]);
  const found = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(found.length).toBe(files.size);
}

test(
  "S3 to S3: every object arrives with equal bytes and time; a second run asks the endpoints nothing",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(400);
    const first = await stage.xfer(...stage.runArgs("--num-shards", "5", "--json"));
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({
      schema: "xfer.account.v1",
      shards: { total: 5, done: 5, failed: 0, unfinished: 0 },
      listed: { objects: 400 },
      copied: { objects: 400 },
      failed: { objects: 0 },
    });
    await stage.expectEqual(keys);
    const { source, dest } = stage;
    expect(source.counts.LIST).toBeLessThanOrEqual(2);
    expect(source.counts.HEAD).toBeLessThanOrEqual(2);
    // Two requests an object: one GET at the source, one PUT at the destination.
    expect(source.counts.GET).toBe(400);
    expect(dest.counts.PUT).toBe(400);
    expect(source.counts.total + dest.counts.total).toBeLessThanOrEqual(2 * 400 + 4);

    source.resetCounts();
    dest.resetCounts();
    const second = await stage.xfer(...stage.runArgs("--num-shards", "5", "--json"));
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ copied: { objects: 400 }, failed: { objects: 0 } });
    expect(source.counts.total + dest.counts.total).toBe(0);
  },
  timeoutMs,
);

test(
  "S3 to POSIX and POSIX to S3: hostile names, bytes and times survive both ways",
  async () => {
    await using stage = await Stage.start();
    using tree = temporaryDirectory();
    const files = writeTree(join(tree.path, "in"), 150);
    const up = await xfer(
      [
        ...["run", "--executor", "local", "--source", join(tree.path, "in"), "--dest", "dst:copy/a b"],
        ...["--rclone-config", stage.conf, "--run-dir", join(tree.path, "up"), "--num-shards", "3"],
      ],
      { cwd: tree.path },
    );
    expect(up.stderr).not.toContain("error");
    expect(up.code).toBe(0);
    expect(stage.dest.keys("copy").length).toBe(150);
    const down = await xfer(
      [
        ...["run", "--executor", "local", "--source", "dst:copy/a b", "--dest", join(tree.path, "out")],
        ...["--rclone-config", stage.conf, "--run-dir", join(tree.path, "down"), "--num-shards", "3"],
      ],
      { cwd: tree.path },
    );
    expect(down.code).toBe(0);
    expectTree(join(tree.path, "out"), files);
  },
  timeoutMs,
);

test(
  "POSIX to POSIX without any rclone.conf, by relative paths",
  async () => {
    using tree = temporaryDirectory();
    const files = writeTree(join(tree.path, "in"), 120);
    const args = [
      "run",
      "--executor",
      "local",
      "--source",
      "in/",
      "--dest",
      "out",
      "--run-dir",
      "r",
      "--strategy",
      "hash",
    ];
    const result = await xfer([...args, "--num-shards", "4"], { cwd: tree.path });
    expect(result.code).toBe(0);
    expect(result.stdout).toContain("listed                 120 objects");
    expect(result.stdout).toContain("run directory: r\n");
    expectTree(join(tree.path, "out"), files);
  },
  timeoutMs,
);

test(
  "an object that vanished after the listing: named in .fail, the rest arrives, exit code 1",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(120);
    const build = await stage.xfer(
      ...["manifest", "build", "--runtime", "host", "--source", "src:data", "--dest", "dst:copy"],
      ...["--rclone-config", stage.conf, "--out", join(stage.runDir, "manifest.jsonl")],
    );
    expect(build.code).toBe(0);
    const gone = keys[70] ?? "";
    stage.source.remove("data", gone);
    const run = await stage.xfer(...stage.runArgs("--num-shards", "3"));
    expect(run.code).toBe(1);
    expect(run.stdout).toContain(`missing: ${gone}`);
    expect(run.stdout).toContain("failed                   1 objects");
    await stage.expectEqual(keys.filter((key) => key !== gone));
    const fails = [0, 1, 2].flatMap((shard) => state(stage.runDir, shard, "fail") ?? []);
    expect(fails).toHaveLength(1);
    expect(fails[0]).toMatchObject({
      class: "missing",
      final: true,
      errors: [{ path: gone, class: "missing" }],
    });
    const dones = [0, 1, 2].flatMap((shard) => state(stage.runDir, shard, "done") ?? []);
    expect(dones).toHaveLength(2);
    // A missing object spends no attempts: one start only.
    expect(fails[0]?.attempt).toBe(1);
  },
  timeoutMs,
);

test(
  "a file that vanished from a POSIX source is missing too, although rclone exits 0",
  async () => {
    using tree = temporaryDirectory();
    const dir = join(tree.path, "in");
    writeTree(dir, 60);
    const out = join(tree.path, "r", "manifest.jsonl");
    const args = ["--source", dir, "--dest", join(tree.path, "out")];
    expect(
      (await xfer(["manifest", "build", "--runtime", "host", ...args, "--out", out], { cwd: tree.path }))
        .code,
    ).toBe(0);
    const gone = "sub/deep/x.txt";
    await Bun.file(join(dir, gone)).delete();
    const run = await xfer(["run", "--executor", "local", ...args, "--run-dir", "r", "--num-shards", "2"], {
      cwd: tree.path,
    });
    expect(run.code).toBe(1);
    expect(run.stdout).toContain(`missing: ${gone}: rclone ended well without copying it`);
    expect(
      readdirSync(join(tree.path, "out"), { recursive: true, withFileTypes: true }).filter((e) => e.isFile())
        .length,
    ).toBe(59);
  },
  timeoutMs,
);

/** A transfer slow enough to be hit in its middle. */
async function startSlow(stage: Stage, count: number, more: readonly string[] = []) {
  const keys = stage.fill(count);
  const release = stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 150 } });
  const flags = "--transfers 4 --retries 3 --retries-sleep 200ms --low-level-retries 2";
  const running = startXfer(stage.runArgs("--num-shards", "2", "--rclone-flags", flags, ...more), {
    cwd: stage.dir,
  });
  await until("some objects to be copied", () => stage.dest.counts.PUT > 12);
  return { keys, running, release };
}

/** What must hold at every moment: a .done means that the destination holds every object of the shard. */
function expectNoFalseDone(stage: Stage, shards: number): void {
  const there = new Set(stage.dest.keys("copy").map(listedName));
  for (let shard = 0; shard < shards; shard++) {
    if (!state(stage.runDir, shard, "done")) continue;
    const name = `shard_${String(shard).padStart(6, "0")}.jsonl`;
    const lines = readFileSync(join(stage.runDir, "shards", name), "utf8")
      .trimEnd()
      .split("\n");
    const absent = lines
      .map((line) => (JSON.parse(line) as { path: string }).path)
      .filter((path) => !there.has(path));
    expect(absent).toEqual([]);
  }
}

const pidOf = (stage: Stage, shard: number, who: "child" | "agent") =>
  state(stage.runDir, shard, "attempt")?.[who]?.pid;

test(
  "kill -9 of rclone in mid-transfer: the next pass copies only what is not proven",
  async () => {
    await using stage = await Stage.start();
    const { keys, running, release } = await startSlow(stage, 160);
    for (const shard of [0, 1])
      kill(await until("rclone's pid", () => pidOf(stage, shard, "child")), "SIGKILL");
    expectNoFalseDone(stage, 2);
    release();
    const result = await running.result;
    expect(result.code).toBe(0);
    await stage.expectEqual(keys);
    // The kill hit: the first pass of each shard ended by it.
    for (const shard of [0, 1]) {
      const log = readFileSync(join(stage.runDir, "logs", `shard_${shard}_attempt_1.log`), "utf8");
      expect(log).toContain("xfer: pass 1 ended: exit code 137");
    }
    // Only what was in flight in two rclones of 4 transfers each may be sent twice.
    expect(stage.dest.counts.PUT).toBeLessThanOrEqual(160 + 2 * 4 + 2);
    expect(processesWith(stage.dir)).toEqual([]);
  },
  timeoutMs,
);

test(
  "kill -9 of the agent in mid-transfer: the executor starts it again and it resumes; no rclone is left behind",
  async () => {
    await using stage = await Stage.start();
    const { keys, running, release } = await startSlow(stage, 160);
    for (const shard of [0, 1])
      kill(await until("the agent's pid", () => pidOf(stage, shard, "agent")), "SIGKILL");
    expectNoFalseDone(stage, 2);
    release();
    const result = await running.result;
    expect(result.code).toBe(0);
    await stage.expectEqual(keys);
    // What was copied since the journal was last written (2 s at most) may be sent twice.
    expect(stage.dest.counts.PUT).toBeLessThan(320);
    expect(state(stage.runDir, 0, "attempt")).toMatchObject({ attempt: 2, outcome: "done" });
    await until("every process of the run to end", () => processesWith(stage.dir).length === 0);
  },
  timeoutMs,
);

test(
  "kill -9 of the executor: its agents stop by themselves, and the same command goes on",
  async () => {
    await using stage = await Stage.start();
    const { keys, running, release } = await startSlow(stage, 160);
    kill(running.pid, "SIGKILL");
    await running.result;
    await until("the agents and rclones to end", () => processesWith(stage.dir).length === 0);
    expectNoFalseDone(stage, 2);
    expect(state(stage.runDir, 0, "attempt")?.outcome).toBe("stopped");
    const puts = stage.dest.counts.PUT;
    expect(puts).toBeLessThan(160);
    release();
    const again = await stage.xfer(...stage.runArgs("--num-shards", "2"));
    expect(again.code).toBe(0);
    await stage.expectEqual(keys);
    expect(stage.dest.counts.PUT).toBeLessThanOrEqual(160 + 2 * 4 + 2);
  },
  timeoutMs,
);

for (const [signal, code] of [
  ["SIGTERM", 75],
  ["SIGINT", 130],
] as const) {
  test(
    `${signal} to a local run: exit code ${code}, no process left, and the same command goes on`,
    async () => {
      await using stage = await Stage.start();
      const { keys, running, release } = await startSlow(stage, 160);
      kill(running.pid, signal);
      const result = await running.result;
      expect(result.code).toBe(code);
      expect(result.stderr).toContain("run the same command again to go on");
      expect(processesWith(stage.dir)).toEqual([]);
      expect(state(stage.runDir, 0, "attempt")).toMatchObject({ outcome: "stopped" });
      expect(state(stage.runDir, 0, "done")).toBeUndefined();
      release();
      const again = await stage.xfer(...stage.runArgs("--num-shards", "2"));
      expect(again.code).toBe(0);
      await stage.expectEqual(keys);
      expect(stage.dest.counts.PUT).toBeLessThanOrEqual(160 + 2 * 4 + 2);
    },
    timeoutMs,
  );
}

test(
  "a fault that passes: more passes in one attempt, and nothing proven is copied again",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(100);
    const bad = keys[40] ?? "";
    stage.dest.inject({
      kinds: ["PUT"],
      match: ({ key }) => key === bad,
      action: "internal-error",
      times: 6,
    });
    const flags = "--transfers 8 --low-level-retries 1 --retries 8 --retries-sleep 100ms";
    const run = await stage.xfer(...stage.runArgs("--num-shards", "1", "--rclone-flags", flags));
    expect(run.code).toBe(0);
    await stage.expectEqual(keys);
    expect(stage.dest.counts.PUT - stage.dest.requestsFor("copy", bad).PUT).toBe(99);
    expect(state(stage.runDir, 0, "attempt")).toMatchObject({ attempt: 1 });
  },
  timeoutMs,
);

test(
  "a fault that does not pass: --max-attempts starts of the agent, then exit code 1 and a final .fail",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(60);
    const bad = keys[50] ?? "";
    const heal = stage.dest.inject({
      kinds: ["PUT"],
      match: ({ key }) => key === bad,
      action: "internal-error",
    });
    const args = stage.runArgs(
      ...["--num-shards", "2", "--max-attempts", "2"],
      ...["--rclone-flags", "--low-level-retries 1 --retries 2 --retries-sleep 100ms"],
    );
    const run = await stage.xfer(...args);
    expect(run.code).toBe(1);
    const fail = [0, 1].flatMap((shard) => state(stage.runDir, shard, "fail") ?? [])[0];
    expect(fail).toMatchObject({ attempt: 2, final: true, class: "network", errors: [{ path: bad }] });
    expect(readdirSync(join(stage.runDir, "logs")).filter((name) => /_attempt_/.test(name)).length).toBe(3);
    await stage.expectEqual(keys.filter((key) => key !== bad));
    // The same command later has a new budget, and copies only the one object.
    heal();
    const puts = stage.dest.counts.PUT;
    expect((await stage.xfer(...args)).code).toBe(0);
    expect(stage.dest.counts.PUT).toBe(puts + 1);
    await stage.expectEqual(keys);
  },
  timeoutMs,
);

test(
  "a wrong key is not tried again, and says so",
  async () => {
    await using stage = await Stage.start();
    stage.fill(20);
    const build = stage.runArgs("--num-shards", "1");
    stage.dest.inject({ kinds: ["PUT"], action: "forbidden" });
    const run = await stage.xfer(...build);
    expect(run.code).toBe(1);
    expect(state(stage.runDir, 0, "fail")).toMatchObject({ class: "auth", final: true, attempt: 1 });
    expect(run.stdout).toContain("auth: ");
  },
  timeoutMs,
);

test(
  "RCLONE_* variables that would break the account are kept from rclone, and the log says so",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(40);
    const env = {
      RCLONE_DRY_RUN: "true",
      RCLONE_LOG_FILE: join(stage.dir, "elsewhere.log"),
      RCLONE_LOG_LEVEL: "ERROR",
      RCLONE_MAX_TRANSFER: "1k",
    };
    const run = await xfer(stage.runArgs("--num-shards", "1"), { cwd: stage.dir, env });
    expect(run.code).toBe(0);
    await stage.expectEqual(keys);
    expect(stage.dest.counts.PUT).toBe(keys.length);
    const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
    expect(log).toContain("xfer: RCLONE_DRY_RUN is kept from rclone: nothing would be copied");
    for (const name of Object.keys(env)) expect(log).toContain(`xfer: ${name} is kept from rclone`);
    expect(readdirSync(stage.dir)).not.toContain("elsewhere.log");
  },
  timeoutMs,
);
