import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type RcloneOptions, runRclone } from "../../agent/rclone-run.ts";
import { ShardLog } from "../../agent/shard-log.ts";
import { temporaryDirectory } from "../stage/harness.ts";

const line = (level: string, msg: string, object?: string) => JSON.stringify({ level, msg, object });
const never = { unheardMs: 1e6, silentMs: 1e6, idleMs: 1e6, stuckMs: 1e6 };

/** Runs a shell in the place of rclone, and returns how it ended, what was heard of it, and what the shard's log keeps. */
async function played(script: string, lines: readonly string[] = [], more: Partial<RcloneOptions> = {}) {
  using dir = temporaryDirectory();
  const log = new ShardLog(join(dir.path, "log"));
  const heard: unknown[] = [];
  const result = await runRclone({
    argv: ["sh", "-c", script, "sh", ...lines],
    env: { PATH: process.env.PATH ?? "" },
    log,
    logsDebug: false,
    stop: new AbortController().signal,
    silence: never,
    onStart: () => undefined,
    onFirstWord: () => heard.push("first word"),
    onProven: (object, proof) => heard.push([object, proof]),
    onStats: ({ bytes }) => heard.push({ bytes }),
    onRetry: (message, object) => heard.push({ message, object }),
    ...more,
  });
  log.close();
  return { result, heard, kept: readFileSync(log.path, "utf8") };
}

const say = 'printf "%s\\n" "$@" >&2';

test("each line goes to whom it is for, and those about no object's way are not kept", async () => {
  const stats = { bytes: 7, errors: 0, speed: 1, transfers: 1 };
  const { result, heard, kept } = await played(`${say}; exit 3`, [
    "srun: job 1 queued",
    line("info", "Copied (new)", "a"),
    line("debug", "Unchanged skipping", "b"),
    line("error", "Failed to copy: reset", "c"),
    line("error", "Failed to copy: denied", "a"),
    line("info", "Copied (replaced existing)", "c"),
    line("debug", "low level retry 1/2 (error SlowDown: slow)"),
    line("debug", "Received error: SlowDown: slow - low level retry 1/2", "d"),
    line("debug", "nothing of note"),
    JSON.stringify({ level: "notice", msg: "stats", stats }),
    line("error", "Attempt 1/1 failed with 1 errors and: AccessDenied: no"),
  ]);
  expect(heard).toEqual([
    "first word",
    ["a", "copied"],
    ["b", "unchanged"],
    ["c", "copied"],
    { message: "SlowDown: slow", object: undefined },
    { message: "SlowDown: slow", object: "d" },
    { bytes: 7 },
  ]);
  expect(result).toMatchObject({ exit: { code: 3 }, spoke: true, hang: undefined, error: { class: "auth" } });
  // An object that is copied after all has not failed; one that fails after it was copied has.
  expect([...result.objectErrors]).toEqual([["a", "Failed to copy: denied"]]);
  expect(kept).not.toContain("nothing of note");
  expect(kept).toContain("srun: job 1 queued");
});

test("an rclone that never spoke has not started, whatever srun says", async () => {
  const { result, heard } = await played(`${say}; exit 1`, [
    "slurmstepd: error: pyxis: container start failed",
  ]);
  expect([result.spoke, result.error?.class, heard]).toEqual([false, "container", []]);
});

/** Ends well on TERM only; its first line comes when it is ready for that. */
const waits = `trap "exit 5" TERM; ${say}; while :; do sleep 0.05; done`;
const ready = [line("debug", "low level retry 1/2 (error ready)")];

test.each<
  [what: string, on: "stop" | "retire", reason: string, refusal: string | undefined | null, asked: number]
>([
  ["the time limit nears", "stop", "SIGUSR1", undefined, 1],
  ["the time limit nears, and Slurm refuses to bring TERM", "stop", "SIGUSR1", "scancel failed", 1],
  ["Slurm has sent TERM to the step itself", "stop", "SIGTERM", undefined, 0],
  ["rclone is to be started otherwise", "retire", "SIGTERM", undefined, 1],
  ["there is no other way than the process group", "retire", "SIGTERM", null, 0],
])("how rclone is asked to end when %s", async (_what, on, reason, refusal, asked) => {
  const abort = new AbortController();
  let terminations = 0;
  let pid = 0;
  const terminate = async () => {
    terminations++;
    if (refusal === undefined) process.kill(-pid, "SIGTERM");
    return refusal ?? undefined;
  };
  const { result, kept } = await played(waits, ready, {
    ...{ [on]: abort.signal },
    ...(refusal === null ? {} : { terminate }),
    onStart: (child) => {
      pid = child.pid;
    },
    onRetry: () => abort.abort(reason),
  });
  expect(result.exit.code).toBe(5);
  expect(terminations).toBe(asked);
  expect(kept.includes("scancel failed")).toBe(refusal === "scancel failed");
});

test("a callback that throws ends rclone, and the error is told", async () => {
  let pid = 0;
  const running = played(`${say}; sleep 60`, [line("info", "Copied (new)", "a")], {
    onStart: (child) => {
      pid = child.pid;
    },
    onProven: () => {
      throw new Error("the journal is full");
    },
  });
  await expect(running).rejects.toThrow("the journal is full");
  while (isThere(pid)) await Bun.sleep(20);
});

function isThere(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
