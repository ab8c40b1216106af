import { linkSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { type FoundLock, type LockContent, readLock } from "../lib/run/state/lock.ts";
import { removeIfExists } from "../lib/system/durable.ts";
import { errnoOf, operationFailed } from "../lib/system/errors.ts";
import { ownIdentity, ownTable, runsStill } from "../lib/system/process-identity.ts";
import { sleepRunning } from "../lib/system/running-time.ts";
import { writing } from "../lib/system/write-error.ts";
import { judgeHolder } from "./decide/holder.ts";

/** How long a holder whose pid cannot be looked up may show no sign of life before its lock counts as stale. */
const silenceMsDefault = 8_000;
/** How long an agent may take to stop once its executor is gone, and how often it is looked at. */
const stoppingMsMax = 20_000;
const stoppingTickMs = 100;
/** How often another agent may win the race for a stale lock, or die in the middle of a takeover. */
const triesMax = 20;

/** The shard to lock, and who wants it. */
export interface LockRequest {
  path: string;
  progressPath: string;
  shard: number;
  submission: string;
  stop: AbortSignal;
  silenceMs?: number;
}

/**
 * Holds a shard for one agent, on this host or another, for as long as the file has its token.
 *
 * A free lock is taken by link(2) of a file that is whole already. Of several agents that link one name one succeeds, on
 * NFS too. (A repeated NFS request can report EEXIST for a link that was made. The token in the file decides.)
 *
 * A stale lock with token T is taken over by link(2) of the taker's own file to the name `.lock.after.T`, and then
 * rename(2) of another link of it over the lock, which never leaves the name free. This is exclusive:
 * - Only the holder of `.after.T` replaces a lock that has T, and link(2) lets one agent become that holder. After its
 *   link the holder looks at the lock once more. If the lock has another token than T, the takeover was done before, and
 *   the holder removes its claim without touching the lock. (The link changes the directory, so that an NFS client must
 *   look the lock's name up anew; open asks the server.)
 * - `.after.T` is removed only after the lock has lost T. Tokens are never used twice, so nobody finds T there again.
 * - A taker S that dies between link and rename leaves `.after.T` with its own token. That claim is then stale itself, and
 *   the agent that links `.after.S` succeeds it in the same way. The claims form a chain whose last holder alone renames.
 *   A dead taker's claim stays until the lock has a new token: no two agents can hold the lock, and it is never stuck.
 *
 * All this holds for holders that are dead. A holder that only looked dead (it was suspended on another host) finds at its
 * next heartbeat that the lock has another token, and stops: see `isHeld`.
 */
export class ShardLock {
  readonly #path: string;
  readonly #token: string;

  private constructor(path: string, token: string) {
    this.#path = path;
    this.#token = token;
  }

  /** Takes the lock of a shard. Throws operation failed when another agent holds it, or is just taking it. */
  static async take(request: LockRequest): Promise<ShardLock> {
    const { path } = request;
    const token = crypto.randomUUID();
    const content: LockContent = {
      schema: "xfer.lock.v1",
      token,
      ...ownTable(),
      agent: ownIdentity(),
      submission: request.submission,
    };
    // Pids repeat from host to host and from container to container.
    const own = `${path}.tmp.${token}`;
    writing(path, () => writeFileSync(own, `${JSON.stringify(content)}\n`));
    try {
      for (let tries = 0; tries < triesMax; tries++) {
        if (linkIfFree(own, path, token)) return new ShardLock(path, token);
        const found = readLock(path);
        if (!found) continue;
        if (await isAlive(found, request)) {
          if (await endsSoon(found, request)) continue;
          break;
        }
        if (await takeOver(found, own, token, request)) return new ShardLock(path, token);
      }
    } finally {
      removeIfExists(own);
    }
    const holder = readLock(path)?.holder;
    const who = holder
      ? `pid ${holder.agent.pid} on ${holder.host}, ${holder.submission}`
      : "one that has just started";
    throw operationFailed(`shard ${request.shard}: another agent is at work on it (${who})`);
  }

  /** Whether the lock is still this agent's. */
  isHeld(): boolean {
    return readLock(this.#path)?.id === this.#token;
  }

  release(): void {
    if (this.isHeld()) removeIfExists(this.#path);
  }
}

/** Takes a stale lock over, or succeeds the dead takers that were about to; false when another agent is first. */
async function takeOver(
  stale: FoundLock,
  own: string,
  token: string,
  request: LockRequest,
): Promise<boolean> {
  const { path } = request;
  const claims: string[] = [];
  for (let last = stale; claims.length < triesMax; ) {
    const claim = `${path}.after.${last.id}`;
    claims.push(claim);
    if (linkIfFree(own, claim, token)) {
      if (readLock(path)?.id !== stale.id) {
        removeIfExists(claim);
        return false;
      }
      // The claim keeps its name until the lock has its new token: the file's other name is renamed.
      renameSync(own, path);
      for (const done of claims.reverse()) removeIfExists(done);
      return true;
    }
    const other = readLock(claim);
    if (!other || (await isAlive(other, request))) return false;
    last = other;
  }
  return false;
}

/** Gives a whole file the name `to` if that is free; link(2) is atomic on NFS too. */
function linkIfFree(from: string, to: string, token: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return readLock(to)?.id === token;
    throw error;
  }
}

async function isAlive({ holder }: FoundLock, request: LockRequest): Promise<boolean> {
  if (!holder) return false;
  const verdict = judgeHolder({
    runs: runsStill(holder.agent, holder),
    isSameTask: holder.submission === request.submission && holder.submission.startsWith("slurm:"),
  });
  if (verdict !== "watch") return verdict === "alive";
  const before = signOfLife(request.progressPath);
  await sleepRunning(request.silenceMs ?? silenceMsDefault, request.stop);
  return signOfLife(request.progressPath) !== before;
}

/**
 * Waits for an agent of another local executor, which may be stopping since that one was killed, to let go of the shard;
 * false when it goes on.
 */
async function endsSoon(
  { id, holder }: FoundLock,
  { path, submission, stop }: LockRequest,
): Promise<boolean> {
  const isLocal = (one: string) => one.startsWith("local:");
  if (!holder || !isLocal(submission) || !isLocal(holder.submission) || holder.submission === submission) {
    return false;
  }
  for (let waited = 0; waited < stoppingMsMax && !stop.aborted; waited += stoppingTickMs) {
    await sleepRunning(stoppingTickMs, stop);
    if (readLock(path)?.id !== id || runsStill(holder.agent, holder) !== true) return true;
  }
  return false;
}

function signOfLife(progressPath: string): string {
  try {
    return readFileSync(progressPath, "utf8");
  } catch {
    return "";
  }
}
