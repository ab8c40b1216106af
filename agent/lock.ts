import { linkSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { type FoundLock, type LockContent, readLock } from "../lib/run/state/lock.ts";
import { removeIfExists } from "../lib/system/durable.ts";
import { errnoOf, operationFailed } from "../lib/system/errors.ts";
import { ownIdentity, ownTable, runsStill } from "../lib/system/process-identity.ts";
import { sleepRunning } from "../lib/system/running-time.ts";
import { writing } from "../lib/system/write-error.ts";
import { judgeHolder } from "./decide/holder.ts";

/** How long a holder that cannot be asked may show no sign of life before its lock counts as left behind. */
const silenceMsDefault = 8_000;
/** How often another agent may win the race for a stale lock, or have died in its middle. */
const triesMax = 20;

/** Who wants a lock. */
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
 * A free lock is taken by link(2) of a file that is whole already: of several that link one name, one succeeds, on NFS
 * too. (A repeated NFS request can report EEXIST for a link that was made: what decides is whose token the file has.)
 *
 * A stale lock with token T is taken over by link(2) of the taker's own file to the name `.lock.after.T`, and then
 * rename(2) of another link of it over the lock, which never leaves the name free. This is exclusive:
 * - Only the holder of `.after.T` replaces a lock that has T, and one link makes it. It looks at the lock once more after
 *   its link: if that has T no more, the takeover was done, and it takes its claim away without having touched the lock.
 *   (The link changes the directory, so that an NFS client must look the lock's name up anew; open asks the server.)
 * - `.after.T` is removed only after the lock has lost T. Tokens are never used twice, so nobody finds T there again.
 * - A taker S that dies between link and rename leaves `.after.T` with its own token. It is then stale itself, and is
 *   succeeded in the same way by the one that links `.after.S`: a chain, whose last member alone renames. No claim of a
 *   dead taker is removed before the lock has a new token, so nothing can slip in between, and nothing stays locked.
 *
 * All this holds for holders that are dead. One that only looked dead for long (it was suspended on another host) finds
 * at its next heartbeat that the lock is not its own, and stops: see `isHeld`.
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
        if (await isAlive(found, request)) break;
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

/** Succeeds a stale lock, or the dead takers that were about to; false when another agent was first, or may be. */
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
      // The claim stays where it is until the lock has its new token: it is the other name that is renamed.
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

/** link(2) is atomic on NFS too, and the file is whole before it has its name. */
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

function signOfLife(progressPath: string): string {
  try {
    return readFileSync(progressPath, "utf8");
  } catch {
    return "";
  }
}
