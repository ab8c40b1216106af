import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensurePackages, program } from "../setup/packages.ts";
import { binary, startXfer, temporaryDirectory, timeoutMs, until, xfer } from "../stage/harness.ts";
import { type SyntheticKind, type SyntheticRun, writeSyntheticRun } from "../stage/synthetic-run.ts";
import { Typist } from "../stage/typist.ts";

const kinds: SyntheticKind[] = [
  ...(["done", "running", "stale", "failed", "requeue"] as const),
  ...(["stopped", "waiting", "torn", "foreign", "done"] as const),
];
const numShards = 10_000;
const scene = temporaryDirectory("status-");
const large = join(scene.path, "large");
let written: SyntheticRun;

beforeAll(async () => {
  await ensurePackages([program("strace", "strace")]);
  // Its running shards are still fresh when a slow machine has written all of them.
  const now = new Date(Date.now() + 3_600_000);
  written = writeSyntheticRun(large, { numShards, kinds, now });
}, timeoutMs);
afterAll(() => scene[Symbol.dispose]());

/** The one child that a process has. */
const childOf = (pid: number) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());

/** A small run of shards of these kinds. */
function small(name: string, ...of: SyntheticKind[]): string {
  writeSyntheticRun(join(scene.path, name), { numShards: of.length, kinds: of, now: new Date() });
  return name;
}

test(
  "10,000 shards with torn, missing, stale and foreign files: right totals, nothing thrown, bounded memory",
  async () => {
    const child = Bun.spawn([binary, "status", "--run-dir", large, "--json"], {
      ...{
        cwd: scene.path,
        env: { PATH: "/usr/bin:/bin", HOME: scene.path },
        stdout: "pipe",
        stderr: "pipe",
      },
    });
    const [code, stdout, stderr] = await Promise.all([
      child.exited,
      child.stdout.text(),
      child.stderr.text(),
    ]);
    expect([code, stderr]).toEqual([1, ""]);
    const status = JSON.parse(stdout);
    const each = numShards / kinds.length;
    expect(status.shards).toEqual({
      ...{ total: numShards, done: 2 * each, running: each, waiting: 3 * each },
      ...{ requeue: each, stopped: each, failed: each, stale: each },
    });
    expect(status.proven).toEqual(written.proven);
    expect(status.failures).toMatchObject([
      { class: "auth", end: "destination", num_shards: 2 * each, num_final: each, objects: 200 * each },
    ]);
    expect(written.failedObjects).toBe(100 * each);
    // Of each foreign shard one file has no schema of xfer's; a torn one has two. Two lines are for all that is not theirs.
    expect(status.warnings.total).toBe(3 * each + 2);
    expect(status.stale).toHaveLength(20);
    expect(status.stale[0]).toMatchObject({ shard: 2, node: "n2" });
    expect(status.next).toMatchObject({ kind: "mend", classes: ["auth"], others: true });
    expect(child.resourceUsage()?.maxRSS).toBeLessThan(400 * 1024 ** 2);
  },
  timeoutMs,
);

test(
  "a second look opens the files that have changed, and no others",
  async () => {
    const trace = join(scene.path, "trace");
    const follow = Bun.spawn(
      [
        ...["strace", "-f", "-qq", "--seccomp-bpf", "-s", "4096", "-e", "trace=open,openat", "-o", trace],
        ...[binary, "wait", "--run-dir", large],
      ],
      {
        cwd: scene.path,
        env: { PATH: "/usr/bin:/bin", HOME: scene.path },
        stdout: "ignore",
        stderr: "ignore",
      },
    );
    const state = join(large, "state");
    // A look begins with the listing of state/.
    const looks = () =>
      (existsSync(trace) ? readFileSync(trace, "latin1") : "")
        .split(`"${state}", `)
        .map((part) => new Set([...part.matchAll(/shard_\d+\.[a-z]+/g)].map(([name]) => name)));
    await until("a whole look", () => looks().length > 2);
    for (const shard of [1, 11]) {
      const path = join(state, `shard_${shard}.progress`);
      writeFileSync(`${path}.new`, readFileSync(path, "utf8").replace("400000", "400001"));
      renameSync(`${path}.new`, path);
    }
    writeFileSync(join(state, "shard_6.attempt"), "{}");
    const before = looks().length;
    await until("two more looks", () => looks().length > before + 2);
    // strace itself takes no notice of it.
    process.kill(childOf(follow.pid), "SIGTERM");
    await follow.exited;
    const [, first, ...later] = looks();
    // Of each shard that is done two files, of the others those that are there.
    expect(first?.size).toBeGreaterThan(1.5 * numShards);
    expect(later.flatMap((names) => [...names]).sort()).toEqual([
      ...["shard_1.progress", "shard_11.progress", "shard_6.attempt"],
    ]);
    rmSync(join(state, "shard_6.attempt"));
  },
  timeoutMs,
);

test(
  "exit codes of status and wait",
  async () => {
    const at = { cwd: scene.path };
    const code = async (...args: string[]) => (await xfer(args, at)).code;
    const [whole, going, failed] = [
      small("whole", "done"),
      small("going", "running", "done"),
      small("failed", "done", "failed"),
    ];
    expect(await code("status", "--run-dir", whole)).toBe(0);
    expect(await code("status", "--run-dir", going)).toBe(75);
    expect(await code("status", "--run-dir", failed)).toBe(1);
    expect(await code("status", "--run-dir", "none")).toBe(2);
    expect(await code("status", "--run-dir", whole, "--sort", "eta")).toBe(2);
    expect(await code("status", "--run-dir", whole, "--shards", "--state", "odd")).toBe(2);
    expect(await code("status", "--run-dir", failed, "--watch")).toBe(1);
    expect(await xfer(["wait", "--run-dir", whole], at)).toMatchObject({
      code: 0,
      stdout:
        "shards 1: 1 done\nevery object is proven; compare the destination: xfer verify --run-dir whole\n",
    });
    expect(await code("wait", "--run-dir", failed)).toBe(1);
    expect(await code("wait", "--run-dir", going, "--timeout", "1s")).toBe(75);
    expect(await code("wait", "--run-dir", going, "--timeout", "soon")).toBe(2);
    const paused = small("paused", "waiting", "done");
    const control = {
      schema: "xfer.control.v1",
      wanted: "pause",
      at: "2026-05-04T10:20:30Z",
      by: "ada@login",
    };
    writeFileSync(join(scene.path, paused, "state", "control"), JSON.stringify(control));
    const waited = await xfer(["wait", "--run-dir", paused, "--timeout", "1s"], at);
    expect([waited.code, waited.stderr]).toEqual([
      ...[
        75,
        expect.stringContaining(
          "paused by ada@login since 2026-05-04T10:20:30Z: xfer resume --run-dir paused",
        ),
      ],
    ]);
    const left = join(scene.path, whole, "manifest.untransferable.jsonl");
    writeFileSync(left, `${JSON.stringify({ key: "a//b", size: 1, reason: "r" })}\n`);
    expect(await code("wait", "--run-dir", whole)).toBe(1);
    expect(await code("status", "--run-dir", whole, "--allow-untransferable")).toBe(0);
  },
  timeoutMs,
);

test(
  "a run that nobody has written well is told as far as it can be",
  async () => {
    const name = small("odd", "done", "waiting");
    const dir = join(scene.path, name);
    writeFileSync(join(dir, "config.resolved.json"), "{");
    writeFileSync(join(dir, "submissions.jsonl"), '{"schema":"xfer.sub');
    writeFileSync(join(dir, "state", "control"), "torn");
    mkdirSync(join(dir, "state", "shard_1.fail"));
    const { code, stdout, stderr } = await xfer(["status", "--run-dir", name, "--json"], { cwd: scene.path });
    expect([code, stderr]).toEqual([75, ""]);
    const status = JSON.parse(stdout);
    expect(status).toMatchObject({ run_id: null, source_root: "src:data", shards: { done: 1, waiting: 1 } });
    expect(status.warnings.first.join("\n")).toMatch(/shard_1\.fail: EISDIR[^\n]*\n.*control: is torn/);
  },
  timeoutMs,
);

test(
  "shards for scripts, filtered and sorted",
  async () => {
    const name = small("list", "failed", "running", "running", "done");
    const list = async (...args: string[]) => {
      const { stdout } = await xfer(["status", "--run-dir", name, "--shards", ...args], { cwd: scene.path });
      const [names = [], ...rows] = stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t"));
      return rows.map((row) => Object.fromEntries(names.map((column, i) => [column, row[i]])));
    };
    expect((await list()).map(({ state }) => state)).toEqual(["failed", "running", "running", "done"]);
    const rows = await list("--state", "failed,running", "--sort", "eta");
    expect(rows.map(({ shard }) => shard)).toEqual(["2", "1", "0"]);
    expect(rows[0]).toMatchObject({ attempt: "2", objects_done: "500", objects: "2000", eta_seconds: "62" });
    expect(rows[2]).toMatchObject({ class: "auth", objects_done: "1900", node: "n", eta_seconds: "" });
  },
  timeoutMs,
);

test(
  "while a run is watched, Slurm is asked once in a while, and what it says of tasks is shown",
  async () => {
    const name = small("queued", "waiting", "waiting", "running", "done");
    const asked = join(scene.path, "asked");
    const bin = join(scene.path, "bin");
    mkdirSync(bin);
    const rows = "7\\t0\\tRUNNING\\tNone\\tn1\\n7\\t1-2%%2\\tPENDING\\tResources\\t\\n";
    writeFileSync(join(bin, "squeue"), `#!/bin/sh\necho "$*" >> '${asked}'\nprintf '${rows}'\n`);
    chmodSync(join(bin, "squeue"), 0o755);
    const job = { schema: "xfer.submission.v1", job_id: "7", num_shards: 4, num_tasks: 4 };
    writeFileSync(join(scene.path, name, "submissions.jsonl"), `${JSON.stringify(job)}\n`);
    // The running shard of a local executor would make the queue say nothing.
    const attempt = join(scene.path, name, "state", "shard_2.attempt");
    writeFileSync(attempt, readFileSync(attempt, "utf8").replace("local:x", "slurm:7"));
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    const { pid, result } = startXfer(["wait", "--run-dir", name, "--json", "--timeout", "7"], {
      cwd: scene.path,
      env,
    });
    expect(pid).toBeGreaterThan(0);
    const { code, stdout } = await result;
    expect(code).toBe(75);
    expect(JSON.parse(stdout)).toMatchObject({
      slurm: true,
      jobs: [{ job_id: "7", running: 1, pending: 2, reason: "Resources", limit: 2 }],
      shards: { done: 1, running: 2, waiting: 1, stopped: 0 },
    });
    // In seven seconds the run was looked at some four times.
    expect(readFileSync(asked, "utf8").trimEnd().split("\n")).toEqual([expect.stringContaining("--jobs=7")]);
  },
  timeoutMs,
);

const lastFrame = (shown: string) => shown.split("\x1b[H").at(-1)?.split("\x1b[J")[0] ?? "";
const rowsOf = (frame: string) => frame.replaceAll("\x1b[K", "").split(/\r+\n/);

test(
  "at a terminal it is drawn in place, follows its size, and leaves the terminal as it was",
  async () => {
    const name = small("watched", "running", "failed", "running", "done");
    const env = { PATH: `${dirname(binary)}:/usr/bin:/bin`, TERM: "xterm" };
    await using shell = new Typist(["bash", "--norc", "--noediting", "-i"], scene.path, env, {
      cols: 80,
      rows: 24,
    });
    await shell.sees("$ ");
    const leave = "\x1b[?25h\x1b[?1049l";
    const watch = async () => {
      shell.press(`xfer status --run-dir ${name} --watch; echo "code $?"; stty -a\n`);
      await until("a frame", () => shell.shown.includes("\x1b[J"));
    };
    await watch();
    expect(shell.shown).toContain("\x1b[?1049h\x1b[?25l");
    const frame = rowsOf(lastFrame(shell.shown));
    expect(frame.length).toBeLessThanOrEqual(24);
    expect(frame.filter((row) => Bun.stringWidth(row) > 79)).toEqual([]);
    expect(Bun.stripANSI(frame.join("\n"))).toContain("文件");
    expect(frame.join("")).toContain("\x1b[32m");
    shell.resize(44, 12);
    await until("a frame of the new size", () => {
      const rows = rowsOf(lastFrame(shell.shown));
      return (
        shell.shown.includes("\x1b[J") && rows.length <= 12 && rows.every((row) => Bun.stringWidth(row) <= 43)
      );
    });
    const ends: [string, () => void, string][] = [
      ["q", () => shell.press("q"), "code 1"],
      ["Ctrl-C", () => shell.press("\x03"), "code 130"],
      ["SIGTERM", () => process.kill(childOf(shell.pid), "SIGTERM"), "code 75"],
    ];
    for (const [how, end, code] of ends) {
      if (how !== "q") await watch();
      end();
      await shell.sees("min = 1");
      expect([how, shell.shown.split(leave).length]).toEqual([how, 2]);
      const after = shell.shown.split(leave)[1] ?? "";
      expect(after).toContain(code);
      expect(after).toMatch(/(?<!-)\bicanon\b/);
      expect(after).toMatch(/(?<!-)\becho\b/);
    }
  },
  timeoutMs,
);

test(
  "no colors where stdout is no terminal, or NO_COLOR is set",
  async () => {
    const name = small("plain", "failed", "running");
    const { stdout } = await xfer(["status", "--run-dir", name], { cwd: scene.path });
    expect(stdout).not.toContain("\x1b");
    const env = { PATH: `${dirname(binary)}:/usr/bin:/bin`, TERM: "xterm", NO_COLOR: "1" };
    await using shown = new Typist(["xfer", "status", "--run-dir", name], scene.path, env, {
      cols: 80,
      rows: 24,
    });
    expect(await shown.exited).toBe(1);
    await shown.sees("next ");
    expect(shown.shown).not.toContain("\x1b");
  },
  timeoutMs,
);
