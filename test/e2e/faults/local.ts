import { expect } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../data/fill.ts";
import type { FaultAction } from "../../s3/endpoint.ts";
import { binary, kill, state, until } from "../../stage/harness.ts";
import type { LocalRun } from "./run.ts";

/** How the rows of the fault matrix disturb, heal and look at a run by the local executor. */

/** Starts the run and returns when half of it is copied. */
const startHalf = (run: LocalRun) => run.startSlow({ delayMs: 100, puts: run.keys.length / 2 });

/** Stops the run in good order in its middle, so that what it leaves can be broken. */
async function stopMidway(run: LocalRun): Promise<void> {
  await startHalf(run);
  kill(run.pid, "SIGTERM");
  await run.end();
  expect(run.result.code).toBe(75);
}

const each = (run: LocalRun): number[] => Array.from({ length: run.shards }, (_, shard) => shard);

/** A key in the middle of the data set, whose requests are failed. */
const badKey = (run: LocalRun): string => run.keys[Math.floor(run.keys.length / 2)] ?? "";

// Processes.

export const killEach = (who: "child" | "agent") => async (run: LocalRun) => {
  await startHalf(run);
  for (const shard of each(run)) {
    const pid = () => state(run.runDir, shard, "attempt")?.[who]?.pid;
    kill(await until(`the ${who} of shard ${shard}`, pid), "SIGKILL");
  }
};

/** Kills the agent of the one shard, so many starts in turn, before any of them can have copied something. */
export const killBeforeCopying = (times: number) => async (run: LocalRun) => {
  const release = run.dest.inject({ kinds: ["PUT"], action: "stall" });
  await run.start();
  for (let start = 1; start <= times; start++) {
    const agent = await until(`start ${start} to begin copying`, () => {
      const attempt = state(run.runDir, 0, "attempt");
      return attempt?.attempt === start && attempt.child ? attempt.agent.pid : undefined;
    });
    kill(agent, "SIGKILL");
  }
  release();
};

/** The kill hit: the first pass of each shard ended by it. */
export function firstPassKilled(run: LocalRun): void {
  for (const shard of each(run)) expect(run.log(shard, 1)).toContain("xfer: pass 1 ended: exit code 137");
}

export async function killExecutor(run: LocalRun): Promise<void> {
  await startHalf(run);
  kill(run.pid, "SIGKILL");
  await run.end();
  await until("the agents and rclones to end", () => run.processes().length === 0);
}

export const stopExecutor = (signal: "SIGTERM" | "SIGINT") => async (run: LocalRun) => {
  await startHalf(run);
  kill(run.pid, signal);
};

export const stoppedWith = (code: number) => (run: LocalRun) => {
  expect(run.result.code).toBe(code);
  if (code !== 137) expect(run.result.stderr).toContain("run the same command again to go on");
  expect(run.processes()).toEqual([]);
  expect(run.states("attempt")).toMatchObject(each(run).map(() => ({ outcome: "stopped" })));
  expect(run.states("done")).toEqual([]);
  expect(run.dest.counts.PUT).toBeLessThan(run.keys.length);
};

/** Kills any process of the run at a random moment, and starts the run again when it has ended, until it has hit often. */
export const killAtRandom = (killsWanted: number) => async (run: LocalRun) => {
  run.inject("dest", { kinds: ["PUT"], action: { delayMs: 60 } });
  const random = seededRandom(killsWanted);
  for (let kills = 0; kills < killsWanted; ) {
    await run.start();
    while (!run.hasEnded && kills < killsWanted) {
      await Bun.sleep(40 + random() * 250);
      const victims = run.processes();
      const victim = victims[Math.floor(random() * victims.length)];
      if (victim === undefined || run.dest.counts.PUT === 0) continue;
      kill(victim, "SIGKILL");
      kills++;
    }
    if (kills >= killsWanted) kill(run.pid, "SIGKILL");
    await run.end();
    // A run that came through begins anew, with nothing of its state but the destination.
    if (run.result.code === 0) rmSync(join(run.runDir, "state"), { recursive: true });
  }
  await until("what outlived its parent to end", () => run.processes().length === 0);
};

/** Kills the agent at each call that writes its state, one start after the other, and has it go on after each. */
export async function killAtEveryWrite(run: LocalRun): Promise<void> {
  await run.prepare();
  const agent = [binary, "agent", "--run-dir", run.runDir, "--shard", "0"];
  let points = 0;
  for (const call of ["rename", "fsync", "link", "unlink", "ftruncate"]) {
    for (let nth = 1; ; nth++) {
      rmSync(join(run.runDir, "state"), { recursive: true, force: true });
      for (const key of run.dest.keys("copy")) run.dest.remove("copy", key);
      const inject = `inject=${call}:signal=SIGKILL:when=${nth}`;
      const strace = ["strace", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject];
      const killed = Bun.spawn([...strace, ...agent], {
        stdout: "ignore",
        stderr: "pipe",
        env: { PATH: process.env.PATH ?? "" },
      });
      const said = await killed.stderr.text();
      if ((await killed.exited) === 0) break;
      if (/strace:/.test(said)) throw new Error(said);
      points++;
      await until("an orphaned rclone to end", () => run.processes().length === 0);
      const after = await run.agent(0);
      expect([call, nth, after.code, after.stderr.includes("bug")]).toEqual([call, nth, 0, false]);
      expect(await run.different()).toEqual([]);
    }
  }
  expect(points).toBeGreaterThan(15);
}

/** Starts three agents for one shard at once. */
export async function startThreeAgents(run: LocalRun): Promise<void> {
  await run.prepare();
  run.inject("dest", { kinds: ["PUT"], action: { delayMs: 100 } });
  const results = await Promise.all([run.agent(0), run.agent(0), run.agent(0)]);
  expect(results.map(({ code }) => code).sort()).toEqual([0, 1, 1]);
  for (const { code, stderr } of results) {
    if (code === 1) expect(stderr).toContain("shard 0: another agent is at work on it (");
  }
  expect(run.logNames()).toHaveLength(1);
}

/** Leaves locks of an agent on another host, and an empty one. */
export async function leaveLocks(run: LocalRun): Promise<void> {
  await stopMidway(run);
  const agent = { pid: 1, start: "1" };
  const lock = { schema: "xfer.lock.v1", token: "t", host: "elsewhere", agent, submission: "x" };
  writeFileSync(run.stateFile("shard_0.lock"), JSON.stringify(lock));
  writeFileSync(run.stateFile("shard_1.lock"), "");
}

// Requests.

/** Fails GETs and PUTs by chance. */
export const failSome =
  (probability: number, actions: { source: FaultAction; dest: FaultAction }) => (run: LocalRun) => {
    run.inject("source", { kinds: ["GET"], action: actions.source, probability, seed: 7 });
    run.inject("dest", { kinds: ["PUT"], action: actions.dest, probability, seed: 8 });
  };

export const failPuts = (action: FaultAction, times?: number) => (run: LocalRun) =>
  run.inject("dest", { kinds: ["PUT"], action, ...(times !== undefined && { times }) });

/** Fails every PUT, or so many, of one object. */
export const failOneObject = (times?: number) => (run: LocalRun) => {
  const bad = badKey(run);
  const match = ({ key }: { key: string }) => key === bad;
  const rule = { kinds: ["PUT" as const], match, action: "internal-error" as const };
  run.inject("dest", { ...rule, ...(times !== undefined && { times }) });
};

/** Of all other objects each was sent once. */
export function othersSentOnce(run: LocalRun): void {
  const { PUT } = run.dest.requestsFor("copy", badKey(run));
  expect(run.dest.counts.PUT - PUT).toBe(run.keys.length - 1);
}

/** The account, and the shard's .fail, name the one object; all others are there. */
export async function namesTheOneObject(run: LocalRun): Promise<void> {
  expect(run.result.code).toBe(1);
  expect(run.states("fail")).toMatchObject([
    { attempt: 2, final: true, class: "network", errors: [{ path: badKey(run) }] },
  ]);
  // Two starts of its shard, one of the other.
  expect(run.logNames()).toHaveLength(3);
  expect(await run.different()).toEqual([badKey(run)]);
  othersSentOnce(run);
}

/** Within the pass, when the refusals go on for long enough, or for the next attempt, when the pass ends with them. */
export function transfersLowered(run: LocalRun): void {
  const forNext = run.states("attempt").some(({ transfers }) => transfers !== null && transfers < 8);
  const logs = run.logNames().map((name) => readFileSync(join(run.runDir, "logs", name), "utf8"));
  const inPass = logs.some((log) => /throttled: .*--transfers 8 -> [1-7] of 8/.test(log));
  expect(forNext || inPass).toBe(true);
}

// Objects.

/** Takes one object away after the listing. */
export async function vanish(run: LocalRun): Promise<void> {
  await run.list();
  await run.takeFromSource(badKey(run));
}

/** Named in the account and in one .fail, and no attempt spent on it; the rest is there. */
export const namedAsMissing =
  (said = "") =>
  async (run: LocalRun) => {
    const key = badKey(run);
    expect(run.result.code).toBe(1);
    expect(run.result.stdout).toContain(`missing: ${key}${said}`);
    expect(run.result.stdout).toContain("failed                   1 objects");
    expect(run.states("fail")).toMatchObject([
      { class: "missing", final: true, attempt: 1, errors: [{ path: key, class: "missing" }] },
    ]);
    expect(run.states("done")).toHaveLength(run.shards - 1);
    expect(run.keys.filter((one) => !run.to.keys().includes(one))).toEqual([key]);
  };

/** Replaces an object by a larger one when the first is read. */
export function grow(run: LocalRun): void {
  const match = () => {
    run.source.put("data", badKey(run), "grown, and not what was listed", { mtime: new Date(1.7e12) });
    return false;
  };
  run.inject("source", { kinds: ["GET"], match, action: "reset", times: 1 });
}

/** All is copied, and the comparison with the manifest names the one that differs. */
export function namedAsDiffering(run: LocalRun): void {
  expect(run.states("fail")).toEqual([]);
  expect(run.result.code).toBe(1);
  expect(run.result.stdout).toContain(" 1 differing\n");
  expect(run.result.stdout).toContain(`  differs: ${badKey(run)}: another size at the destination\n`);
}

export function takeAsItIs(run: LocalRun): void {
  run.add("--no-verify");
}

// Disks.

/** A filesystem of so many bytes at a directory, for as long as the row runs. */
function smallFilesystem(run: LocalRun, path: string, kibibytes: number): void {
  mkdirSync(path, { recursive: true });
  mount("-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", path);
  run.defer(() => {
    Bun.spawnSync(["umount", "-l", path]);
  });
}

function mount(...words: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["mount", ...words]);
  if (exitCode !== 0) throw new Error(`mount ${words.join(" ")}: ${stderr.toString()}`);
}

const resize = (path: string, kibibytes: number) => mount("-o", `remount,size=${kibibytes}k`, path);

export const smallDestination = (run: LocalRun) => smallFilesystem(run, run.out, 512);
export const largerDestination = (run: LocalRun) => resize(run.out, 16_000);

export function namedAsFull(run: LocalRun): void {
  expect(run.result.code).toBe(1);
  expect(run.result.stdout).toContain("destination-full");
  expect(run.states("fail").map((fail) => fail.class)).toContain("destination-full");
}

/** Fills the filesystem of the state directory in mid-transfer. */
export async function fillStateDirectory(run: LocalRun): Promise<void> {
  smallFilesystem(run, join(run.runDir, "state"), 64);
  await startHalf(run);
  // dd ends with an error when the filesystem is full, which is what is wanted.
  Bun.spawnSync(["dd", "if=/dev/zero", `of=${run.stateFile("filler")}`, "bs=4096"], { stderr: "ignore" });
}

export function stoppedForSpace(run: LocalRun): void {
  expect(run.result.code).toBe(1);
  const said = readFileSync(join(run.runDir, "logs", "agent_0.out"), "utf8");
  expect(`${run.result.stderr}${said}`).toMatch(/no space left on device/i);
  expect(run.states("done")).toEqual([]);
  expect(run.processes()).toEqual([]);
}

export function makeRoomForState(run: LocalRun): void {
  resize(join(run.runDir, "state"), 10_000);
  rmSync(run.stateFile("filler"));
}

// State files.

/** Stops the run in its middle, and then breaks state files. */
export const breakState = (breakIt: (run: LocalRun) => void) => async (run: LocalRun) => {
  await stopMidway(run);
  breakIt(run);
};

export function tearJournal(run: LocalRun): void {
  const path = run.stateFile("shard_0.journal");
  truncateSync(path, Math.max(0, statSync(path).size - 5));
}

/** Rubbish in the middle of one journal, and another shard's in the place of the other. */
export function foreignJournals(run: LocalRun): void {
  appendFileSync(run.stateFile("shard_0.journal"), "\0\0\0\nc1\nc2\nc3\n");
  writeFileSync(run.stateFile("shard_1.journal"), readFileSync(run.stateFile("shard_0.journal")));
}

export const tearProgress = (run: LocalRun) =>
  writeFileSync(run.stateFile("shard_0.progress"), '{"schema":"xfer.prog');

export const emptyAttempt = (run: LocalRun) => writeFileSync(run.stateFile("shard_0.attempt"), "");

/** One that is no JSON, and one of other content; and a .fail of neither. */
export function foreignDone(run: LocalRun): void {
  writeFileSync(run.stateFile("shard_0.done"), "done\n");
  writeFileSync(run.stateFile("shard_1.fail"), "{}");
  const done = { schema: "xfer.done.v1", shard: 1, sha256: "0".repeat(64), records: 50, bytes: 1 };
  const more = { copied: 50, copied_bytes: 1, attempt: 1, node: "n", finished_at: "" };
  writeFileSync(run.stateFile("shard_1.done"), JSON.stringify({ ...done, ...more }));
}

/** As if the agents had been killed between their last proof and the marker. */
export async function loseDone(run: LocalRun): Promise<void> {
  await run.start();
  await run.end();
  for (const shard of each(run)) rmSync(run.stateFile(`shard_${shard}.done`));
}

// Configuration.

/** Changes the secret key after the listing. */
export async function wrongKey(run: LocalRun): Promise<void> {
  await run.list();
  const wrong = run.confText.replaceAll(/secret_access_key = .*/g, "secret_access_key = wrong");
  writeFileSync(run.conf, wrong);
}

/** One attempt of one pass in each shard, and a clear word. */
export const refused = (words: RegExp) => (run: LocalRun) => {
  expect(run.result.code).toBe(1);
  expect(run.result.stdout).toMatch(words);
  expect(run.states("fail")).toMatchObject(each(run).map(() => ({ class: "auth", final: true, attempt: 1 })));
  expect(run.logNames()).toHaveLength(run.shards);
  for (const shard of each(run)) expect(run.log(shard, 1)).not.toContain("xfer: pass 2");
};

/** Takes rclone.conf away when all is rendered. */
export async function removeConf(run: LocalRun): Promise<void> {
  await run.prepare();
  rmSync(run.conf);
}

/** The run says so before it starts an agent; an agent that is started by hand says so, and stops. */
export async function confIsMissed(run: LocalRun): Promise<void> {
  expect(run.result.code).toBe(2);
  expect(run.result.stderr).toMatch(/--rclone-config: .*rclone\.conf: no such file/);
  expect((await run.agent(0)).code).toBe(1);
  expect(run.states("fail")).toMatchObject([{ class: "config", final: true }]);
}

export const rightConf = (run: LocalRun) => writeFileSync(run.conf, run.confText, { mode: 0o600 });
