import { statSync, utimesSync } from "node:fs";
import * as v from "valibot";
import { processIdentity } from "../run/state/state-file.ts";
import { removeIfExists } from "../system/durable.ts";
import { makeIfFree } from "../system/exclusive-file.ts";
import { sleep } from "../system/interrupt.ts";
import { readJsonFile } from "../system/json-file.ts";
import { ownIdentity, ownTable, runsStill } from "../system/process-identity.ts";
import { operator } from "./steered-run.ts";

/** How often a holder shows that it is alive. */
const renewMs = 5_000;
/** How long a holder whose pid cannot be looked up may show nothing. */
const silenceMsDefault = 30_000;

/** The schema of state/throttle.lease. */
export const leaseSchema = v.object({
  schema: v.literal("xfer.lease.v1"),
  token: v.pipe(v.string(), v.regex(/^[\w-]+$/)),
  host: v.string(),
  boot: v.nullable(v.string()),
  pid_namespace: v.nullable(v.string()),
  process: processIdentity,
  /** user@host. */
  by: v.string(),
  taken_at: v.string(),
});

/** Who holds a lease. */
export type LeaseHolder = v.InferOutput<typeof leaseSchema>;

/** A lease file as it was found; its holder is undefined when the file is torn or foreign. */
interface FoundLease {
  path: string;
  holder: LeaseHolder | undefined;
}

/**
 * The right to steer a run by itself, for one process on any host.
 *
 * A free lease is taken by link(2) of a whole file to its name. One whose holder is dead is followed: the next lease is
 * made under the name `<path>.<token of the dead holder>`, by link(2) again, so that exactly one follows, whoever else has
 * found it dead. The last lease of the chain holds. Its holder renews it by its time of change, and looks whether it was
 * followed: it was suspended for long then, and has lost the right. A holder that gives the right up removes the chain from
 * its first name on, since what hangs on a name that is gone counts no more.
 */
export class Lease {
  readonly #root: string;
  readonly #path: string;
  readonly #token: string;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(root: string, path: string, token: string) {
    this.#root = root;
    this.#path = path;
    this.#token = token;
    this.#timer = setInterval(() => this.#renew(), renewMs);
    this.#timer.unref();
  }

  /**
   * Takes the lease, or says who holds it; a holder on another host is watched for half a minute before it counts as dead.
   * Undefined when `stop` is aborted first.
   */
  static async take(
    root: string,
    { now, stop, silenceMs = silenceMsDefault }: { now: Date; stop: AbortSignal; silenceMs?: number },
  ): Promise<Lease | { heldBy: LeaseHolder } | undefined> {
    const token = crypto.randomUUID();
    const content: LeaseHolder = {
      ...{ schema: "xfer.lease.v1", token, ...ownTable(), process: ownIdentity() },
      ...{ by: operator(), taken_at: now.toISOString() },
    };
    while (!stop.aborted) {
      const last = lastOf(root);
      if (last?.holder && (await isAlive(last, silenceMs, stop))) return { heldBy: last.holder };
      const free = last === undefined ? root : following(root, last);
      // Another one may have been first: look again who.
      if (!stop.aborted && makeIfFree(free, token, `${JSON.stringify(content)}\n`))
        return new Lease(root, free, token);
    }
    return undefined;
  }

  isHeld(): boolean {
    return lastOf(this.#root)?.holder?.token === this.#token;
  }

  /** Gives the right up, if it is still held. */
  release(): void {
    clearInterval(this.#timer);
    if (!this.isHeld()) return;
    for (const { path } of [...chainOf(this.#root)]) removeIfExists(path);
  }

  #renew(): void {
    try {
      const now = new Date();
      utimesSync(this.#path, now, now);
    } catch {
      // The next look of the holder finds out whether it is still its own.
    }
  }
}

function* chainOf(root: string): Generator<FoundLease> {
  for (let path = root; ; ) {
    const file = readJsonFile(path, leaseSchema);
    if (file.kind === "none") return;
    const found: FoundLease = { path, holder: file.kind === "value" ? file.value : undefined };
    yield found;
    path = following(root, found);
  }
}

const lastOf = (root: string): FoundLease | undefined => [...chainOf(root)].at(-1);

/** The name of the lease that follows this one. One that is torn is followed once. */
const following = (root: string, { path, holder }: FoundLease): string =>
  holder ? `${root}.${holder.token}` : `${path}.torn`;

/** Whether a holder lives: by its pid where that can be looked up from here, otherwise by its renewals. */
async function isAlive({ path, holder }: FoundLease, silenceMs: number, stop: AbortSignal): Promise<boolean> {
  const runs = holder && runsStill(holder.process, holder);
  if (runs !== undefined) return runs;
  const before = renewedAt(path);
  for (let waited = 0; waited < silenceMs && !stop.aborted; waited += renewMs / 5) {
    await sleep(Math.min(silenceMs, renewMs / 5), stop);
    if (renewedAt(path) !== before) return true;
  }
  return false;
}

const renewedAt = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.mtimeMs;
