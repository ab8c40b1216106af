import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { judgeHolder } from "../../agent/decide/holder.ts";
import { type LockRequest, ShardLock } from "../../agent/lock.ts";
import { identifyProcess, ownIdentity, ownTable } from "../../lib/system/process-identity.ts";
import { limitMs } from "../setup/pace.ts";
import { temporaryDirectory } from "../stage/harness.ts";

const takerScript = Bun.fileURLToPath(import.meta.resolve("./lock-taker.ts"));
const never = new AbortController().signal;

function requestIn(dir: string, more: Partial<LockRequest> = {}): LockRequest {
  const path = join(dir, "shard_0.lock");
  const progressPath = join(dir, "shard_0.progress");
  return { path, progressPath, shard: 0, submission: "test", stop: never, silenceMs: 300, ...more };
}

/** A process that has ended. */
function gone() {
  const child = Bun.spawn(["sleep", "60"]);
  const identity = identifyProcess(child.pid);
  child.kill();
  if (!identity) throw new Error("a process that runs was not identified");
  return child.exited.then(() => identity);
}

const lockOf = (token: string, more: object) =>
  `${JSON.stringify({ schema: "xfer.lock.v1", token, ...ownTable(), submission: "other", ...more })}\n`;

const tokenIn = (path: string): string => JSON.parse(readFileSync(path, "utf8")).token;

/** What is left beside the locks. */
const leftovers = (dir: string) => readdirSync(dir).filter((name) => !/\.(?:lock|progress)$/.test(name));

test(
  "three processes race for each of 60 stale locks: one holds each",
  async () => {
    using dir = temporaryDirectory();
    const agent = await gone();
    const names = Array.from({ length: 60 }, (_, i) => `shard_${i}.lock`);
    for (const [i, name] of names.entries()) {
      // Also torn ones, and such as a taker left that died in the middle of taking over.
      writeFileSync(join(dir.path, name), i % 10 === 0 ? "" : lockOf(`stale-${i}`, { agent }));
      if (i % 10 === 1)
        writeFileSync(join(dir.path, `${name}.after.stale-${i}`), lockOf(`dead-${i}`, { agent }));
    }
    const startAt = String(Date.now() + 2_000);
    const takers = [0, 1, 2].map(() =>
      Bun.spawn([process.execPath, takerScript, dir.path, startAt], {
        stdin: "pipe",
        stdout: "pipe",
      }),
    );
    const held = await Promise.all(
      takers.map(async ({ pid, stdout }) => {
        let text = "";
        for await (const chunk of stdout) {
          text += new TextDecoder().decode(chunk);
          if (text.endsWith("\n")) break;
        }
        return { pid, names: JSON.parse(text) as string[] };
      }),
    );
    for (const { pid, names: own } of held) {
      for (const name of own)
        expect(JSON.parse(readFileSync(join(dir.path, name), "utf8")).agent.pid).toBe(pid);
    }
    expect(held.flatMap(({ names: own }) => own).sort()).toEqual([...names].sort());
    expect(leftovers(dir.path)).toEqual([]);
    for (const taker of takers) taker.stdin.end();
    await Promise.all(takers.map(({ exited }) => exited));
  },
  limitMs(60_000),
);

test(
  "a taker that was killed at any of its writes leaves nothing locked",
  async () => {
    using dir = temporaryDirectory();
    const agent = await gone();
    const path = join(dir.path, "shard_0.lock");
    let points = 0;
    for (const call of ["link", "rename", "unlink"]) {
      for (let nth = 1; ; nth++) {
        writeFileSync(path, lockOf(`stale-${call}-${nth}`, { agent }));
        const inject = `inject=${call}:signal=SIGKILL:when=${nth}`;
        const taker = Bun.spawn(
          [
            ...["strace", "-qq", "-f", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject],
            ...[process.execPath, takerScript, dir.path],
          ],
          { stdin: "ignore", stdout: "pipe", stderr: "ignore" },
        );
        const said = await taker.stdout.text();
        if ((await taker.exited) === 0) {
          expect(said).toBe('["shard_0.lock"]\n');
          break;
        }
        points++;
        const lock = await ShardLock.take(requestIn(dir.path));
        expect(lock.isHeld()).toBe(true);
        lock.release();
      }
    }
    expect(points).toBeGreaterThanOrEqual(5);
  },
  limitMs(60_000),
);

test("a lock is free after its release, and not before", async () => {
  using dir = temporaryDirectory();
  const request = requestIn(dir.path);
  const lock = await ShardLock.take(request);
  await expect(ShardLock.take(request)).rejects.toThrow("another agent is at work on it (pid");
  lock.release();
  expect(existsSync(request.path)).toBe(false);
  const again = await ShardLock.take(request);
  lock.release();
  expect(again.isHeld()).toBe(true);
  again.release();
  expect(leftovers(dir.path)).toEqual([]);
});

test("an agent of another local executor that is stopping is waited for, one of the same is not", async () => {
  using dir = temporaryDirectory();
  const first = await ShardLock.take(requestIn(dir.path, { submission: "local:killed" }));
  const same = ShardLock.take(requestIn(dir.path, { submission: "local:killed" }));
  expect(await same.catch((error: Error) => error.message)).toContain("another agent is at work on it");
  const next = ShardLock.take(requestIn(dir.path, { submission: "local:next" }));
  const early = await Promise.race([next.then(() => "taken"), Bun.sleep(300).then(() => "waits")]);
  expect(early).toBe("waits");
  first.release();
  const lock = await next;
  expect([lock.isHeld(), first.isHeld()]).toEqual([true, false]);
  lock.release();
});

test("a lock of an earlier build is understood: its holder is asked for by host and pid", async () => {
  using dir = temporaryDirectory();
  const request = requestIn(dir.path);
  const { host } = ownTable();
  const earlier = (agent: object) =>
    JSON.stringify({ schema: "xfer.lock.v1", token: "t", host, agent, submission: "other" });
  writeFileSync(request.path, earlier(ownIdentity()));
  await expect(ShardLock.take(request)).rejects.toThrow("another agent is at work on it");
  writeFileSync(request.path, earlier(await gone()));
  (await ShardLock.take(request)).release();
});

describe("a holder that cannot be asked, under the same host name", () => {
  const elsewhere = [
    ["in another pid namespace", { pid_namespace: "pid:[1]" }],
    ["of another start of the kernel", { boot: "another" }],
  ] as const;
  for (const [what, more] of elsewhere) {
    test(`${what}: is alive while .progress changes, and not when it does not`, async () => {
      using dir = temporaryDirectory();
      const request = requestIn(dir.path);
      // No process here has this pid and start: asked by pid it would count as gone.
      writeFileSync(request.path, lockOf("theirs", { agent: { pid: 1, start: "0" }, ...more }));
      let beats = 0;
      const timer = setInterval(() => writeFileSync(request.progressPath, String(beats++)), 20);
      await expect(ShardLock.take(request)).rejects.toThrow("another agent is at work on it");
      clearInterval(timer);
      expect(tokenIn(request.path)).toBe("theirs");
      (await ShardLock.take(request)).release();
    });
  }
});

test("what becomes of a lock, by what is known of its holder", () => {
  const rows = [
    [true, false, "alive"],
    [true, true, "alive"],
    [false, false, "gone"],
    [false, true, "gone"],
    [undefined, true, "gone"],
    [undefined, false, "watch"],
  ] as const;
  for (const [runs, isSameTask, verdict] of rows) expect(judgeHolder({ runs, isSameTask })).toBe(verdict);
});
