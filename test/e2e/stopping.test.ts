import { expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { recordOf } from "../data/manifest.ts";
import { binary, kill, temporaryDirectory, timeoutMs, until } from "../stage/harness.ts";

const records = 120_000;
/** So many files that to write them takes many times as long as to see the first. */
const shards = "30000";

/** Writes a manifest whose keys are in no order, so that every pass over it is made. */
function writeManifest(path: string, dir: string): void {
  const fd = openSync(path, "w");
  for (let i = 0; i < records; i++) {
    const key = `${(i * 7919) % records}`;
    const roots = { source_root: join(dir, "in"), dest_root: join(dir, "out") };
    const names = { source: `${roots.source_root}/${key}`, dest: `${roots.dest_root}/${key}` };
    writeSync(fd, `${JSON.stringify({ ...recordOf({ path: key, size: 1 }), ...roots, ...names })}\n`);
  }
  closeSync(fd);
}

/** Starts the binary with a stdin that says nothing and does not end. */
function start(args: readonly string[], cwd: string) {
  const child = Bun.spawn([binary, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: cwd, LANG: "C.UTF-8", TMPDIR: cwd },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  return { child, stderr: child.stderr.text() };
}

test.each([
  ["SIGTERM", 75, ["manifest", "shard", "--in", "run/manifest.jsonl", "--outdir", "run/shards"]],
  ["SIGINT", 130, ["manifest", "shard", "--in", "run/manifest.jsonl", "--outdir", "run/shards"]],
  ["SIGHUP", 75, ["run", "--executor", "local", "--run-dir", "run"]],
  ["SIGINT", 130, ["run", "--run-dir", "run", "--runtime", "host"]],
] as const)(
  "%s ends the cutting of many shards with exit code %d, and nothing is left of it: %j",
  async (signal, code, args) => {
    using temp = temporaryDirectory();
    const folder = join(temp.path, "run", "shards");
    mkdirSync(folder, { recursive: true });
    writeManifest(join(temp.path, "run", "manifest.jsonl"), temp.path);
    const { child, stderr } = start([...args, "--num-shards", shards], temp.path);
    await until("the first shard", () => readdirSync(folder).length > 0);
    kill(child.pid, signal);
    expect(await child.exited, await stderr).toBe(code);
    expect(await stderr).toContain(`stopped by ${signal}`);
    expect(readdirSync(folder)).toEqual([]);
  },
  timeoutMs,
);

test.each([
  ["rebase", ["--in", "-", "--out", "out.jsonl", "--dest-root", "/other"]],
  ["import", ["--in", "-", "--format", "lsf", "--source", "/s", "--dest", "/d", "--out", "out.jsonl"]],
  ["import", ["--in", "-", "--format", "keys", "--source", "/s", "--dest", "/d", "--out", "out.jsonl"]],
  ["analyze", ["--in", "-"]],
  ["estimate", ["--in", "-", "--min-rate", "1Gbps", "--max-rate", "2Gbps"]],
] as const)(
  "%s ends with a signal while it waits for its input: %j",
  async (command, args) => {
    using temp = temporaryDirectory();
    const { child, stderr } = start(["manifest", command, ...args, ...host(command)], temp.path);
    // Its handler is there once its thread of signals is: until then it would end by the signal itself.
    await until("the signal to be caught", () => catches(child.pid));
    kill(child.pid, "SIGTERM");
    expect(await child.exited, await stderr).toBe(75);
    expect(await stderr).toContain("stopped by SIGTERM");
    expect(readdirSync(temp.path)).toEqual([]);
  },
  timeoutMs,
);

test("what nohup ignores stays ignored", async () => {
  using temp = temporaryDirectory();
  writeFileSync(join(temp.path, "keys"), "");
  const words = [
    ...["manifest", "import", "--in", "-", "--format", "lsf", "--source", "/s", "--dest", "/d"],
    ...["--out", "out.jsonl", "--runtime", "host"],
  ];
  const child = Bun.spawn(["nohup", binary, ...words], {
    cwd: temp.path,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const stderr = child.stderr.text();
  child.stdin.write("a,1,2026-01-01 00:00:00\n");
  await child.stdin.flush();
  await until("the first record", () => readdirSync(temp.path).some((name) => name.startsWith("out.jsonl.")));
  kill(child.pid, "SIGHUP");
  child.stdin.write("b,1,2026-01-01 00:00:00\n");
  child.stdin.end();
  expect(await child.exited, await stderr).toBe(0);
});

const host = (command: string) => (command === "import" ? ["--runtime", "host"] : []);

/** Whether a process has a handler of SIGTERM. */
function catches(pid: number): boolean {
  const status = new TextDecoder().decode(Bun.spawnSync(["cat", `/proc/${pid}/status`]).stdout);
  const caught = /^SigCgt:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${caught}`) >> 14n) & 1n) === 1n;
}
