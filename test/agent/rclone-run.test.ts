import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runRclone } from "../../agent/rclone-run.ts";
import { ShardLog } from "../../agent/shard-log.ts";
import { limitMs } from "../setup/pace.ts";
import { kill, temporaryDirectory, until } from "../stage/harness.ts";

const runner = Bun.fileURLToPath(import.meta.resolve("./rclone-runner.ts"));

/** Starts rclone under a pass of its own process, copying for some seconds; gives its pid and what the pass says. */
async function startPass(dir: string) {
  const log = join(dir, "log");
  mkdirSync(join(dir, "in"));
  writeFileSync(join(dir, "in", "large"), Buffer.alloc(3_000_000));
  const rclone = ["rclone", "copy", join(dir, "in"), join(dir, "out"), "--bwlimit", "1M", "--config", ""];
  const words = ["--use-json-log", "-v", "--stats", "100ms", "--stats-log-level", "NOTICE"];
  const child = Bun.spawn([process.execPath, runner, log, ...rclone, ...words], {
    stdin: "ignore",
    stdout: "pipe",
    detached: true,
  });
  let said = "";
  const reading = (async () => {
    for await (const chunk of child.stdout) said += new TextDecoder().decode(chunk);
  })();
  await until("bytes to move", () => said.includes("moves\n"));
  return {
    agent: child.pid,
    pid: Number(said.split("\n")[0]),
    end: async () => {
      await Promise.all([child.exited, reading]);
      return JSON.parse(said.split("\n")[2] ?? "");
    },
  };
}

test(
  "agent and rclone suspended for longer than rclone may be silent: it goes on and ends well",
  async () => {
    using dir = temporaryDirectory();
    const { agent, pid, end } = await startPass(dir.path);
    for (const group of [agent, pid]) kill(-group, "SIGSTOP");
    await Bun.sleep(4_000);
    for (const group of [pid, agent]) kill(-group, "SIGCONT");
    expect(await end()).toEqual({ code: 0, hang: null });
    expect(readFileSync(join(dir.path, "out", "large")).length).toBe(3_000_000);
  },
  limitMs(60_000),
);

test(
  "rclone alone suspended for longer than it may be silent: it has fallen silent",
  async () => {
    using dir = temporaryDirectory();
    const { pid, end } = await startPass(dir.path);
    kill(-pid, "SIGSTOP");
    expect(await end()).toMatchObject({ code: 137, hang: "silent" });
  },
  limitMs(60_000),
);

test.each([
  ["a signal", "kill -TERM $$"],
  ["an exit code, as srun does", "exit 143"],
])(
  "an rclone that ends by TERM, told by %s, before the agent sees its own: the attempt was stopped",
  async (_, script) => {
    using dir = temporaryDirectory();
    const stop = new AbortController();
    const ignore = () => undefined;
    const running = runRclone({
      ...{ argv: ["sh", "-c", script], env: { PATH: process.env.PATH ?? "" }, logsDebug: false },
      ...{ log: new ShardLog(join(dir.path, "log")), stop: stop.signal },
      silence: { unheardMs: 60_000, silentMs: 60_000, idleMs: 60_000, stuckMs: 60_000 },
      // Its own signal comes when it has already seen the end.
      onStart: ({ exited }) => void exited.then(() => setTimeout(() => stop.abort("SIGTERM"), 50)),
      ...{ onProven: ignore, onStats: ignore, onRetry: ignore },
    });
    expect((await running).exit.code).toBe(143);
    expect(stop.signal.aborted).toBe(true);
  },
  limitMs(60_000),
);
