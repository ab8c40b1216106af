import { linkSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import * as v from "valibot";
import { readTextIfAny, removeIfAny } from "../lib/system/durable.ts";
import { errnoOf, operationFailed } from "../lib/system/errors.ts";
import { sleep } from "../lib/system/interrupt.ts";
import { identifyProcess, isRunning } from "../lib/system/process.ts";

const lockSchema = v.object({
  schema: v.literal("xfer.lock.v1"),
  token: v.string(),
  host: v.string(),
  agent: v.object({ pid: v.number(), start: v.string() }),
  submission: v.string(),
});

type LockContent = v.InferOutput<typeof lockSchema>;

/** How long a holder on another host may show no sign of life before its lock counts as left behind. */
const silenceMs = 8_000;
/** How often a lock that was left behind may slip away to somebody else while it is taken. */
const triesMax = 5;

/** Holds a shard for one agent, on this host or another, for as long as the file has its token. */
export class ShardLock {
  readonly #path: string;
  readonly #token: string;

  private constructor(path: string, token: string) {
    this.#path = path;
    this.#token = token;
  }

  /**
   * Takes the lock of a shard. A holder on this host is asked for by pid; one on another host that is the same array
   * task is over, since Slurm runs a task once at a time; any other counts as alive while the shard's .progress changes.
   * Throws operation failed when another agent holds the shard.
   */
  static async take(options: {
    path: string;
    progressPath: string;
    shard: number;
    submission: string;
    stop: AbortSignal;
  }): Promise<ShardLock> {
    const content: LockContent = {
      schema: "xfer.lock.v1",
      token: crypto.randomUUID(),
      host: hostname(),
      agent: identifyProcess(process.pid) ?? { pid: process.pid, start: "" },
      submission: options.submission,
    };
    const { path } = options;
    const own = `${path}.tmp.${process.pid}`;
    writeFileSync(own, `${JSON.stringify(content)}\n`);
    try {
      for (let tries = 0; tries < triesMax; tries++) {
        if (linkIfFree(own, path)) return new ShardLock(path, content.token);
        const holder = readLock(path);
        if (holder && (await isAlive(holder, options))) break;
        setAside(path);
      }
    } finally {
      removeIfAny(own);
    }
    const holder = readLock(path);
    const who = holder
      ? `pid ${holder.agent.pid} on ${holder.host}, ${holder.submission}`
      : "one that has just started";
    throw operationFailed(`shard ${options.shard}: another agent is at work on it (${who})`);
  }

  /** Whether the lock is still this agent's. */
  isHeld(): boolean {
    return readLock(this.#path)?.token === this.#token;
  }

  release(): void {
    if (this.isHeld()) removeIfAny(this.#path);
  }
}

/** link(2) is atomic on NFS too, and the file is whole before it has its name. */
function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

function readLock(path: string): LockContent | undefined {
  const text = readTextIfAny(path);
  if (text === undefined) return undefined;
  try {
    return v.parse(lockSchema, JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function isAlive(
  holder: LockContent,
  options: { progressPath: string; submission: string; stop: AbortSignal },
): Promise<boolean> {
  if (holder.host === hostname()) return isRunning(holder.agent);
  if (holder.submission === options.submission && holder.submission.startsWith("slurm:")) return false;
  const before = sign(options.progressPath);
  await sleep(silenceMs, options.stop);
  return sign(options.progressPath) !== before;
}

function sign(progressPath: string): string {
  try {
    return readFileSync(progressPath, "utf8");
  } catch {
    return "";
  }
}

/** Renames a lock that was left behind: of several agents that find it, one succeeds. */
function setAside(path: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  removeIfAny(aside);
}
