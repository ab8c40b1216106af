import { closeSync, fstatSync, openSync, readFileSync, utimesSync } from "node:fs";
import * as v from "valibot";
import { removeIfExists } from "../lib/system/durable.ts";
import { errnoOf } from "../lib/system/errors.ts";
import { makeIfFree } from "../lib/system/exclusive-file.ts";
import { sleep } from "../lib/system/interrupt.ts";
import { ownIdentity, ownTable, runsStill } from "../lib/system/process-identity.ts";

/** How often a holder shows that it is alive. */
const beatMs = 2_000;
/** How often waiting agents look at the claim. */
const pollMs = 250;
/** How long a holder whose pid cannot be looked up may show no sign of life, in time that the waiter itself runs. */
const silenceMs = 60_000;

/** The schema of a claim. */
export const holderSchema = v.object({
  schema: v.literal("xfer.claim.v1"),
  token: v.pipe(v.string(), v.regex(/^[\w-]+$/)),
  host: v.string(),
  boot: v.nullable(v.string()),
  pid_namespace: v.nullable(v.string()),
  process: v.object({ pid: v.number(), start: v.string() }),
});

type Holder = v.InferOutput<typeof holderSchema>;

/** A claim as it was found. */
interface FoundClaim {
  path: string;
  /** Undefined for a file that was torn by a crash. */
  holder: Holder | undefined;
  /** A text that changes while the holder is alive. */
  signOfLife: string;
}

/**
 * The right to do a job once for many agents, on any host.
 *
 * Claims form a chain. The first claim is made under `path`, and a claim that follows a holder with the token T under
 * `path.T`. Both are made by link(2), which one of several takers wins. Exactly one taker therefore follows a dead holder,
 * whoever else has found it dead and when. The last claim of the chain holds the right. A holder that gives the right up
 * removes its own link alone, and its name can be taken again. `settle` removes the whole chain when the job is done.
 */
export class Claim {
  readonly #root: string;
  readonly #path: string;
  readonly #token: string;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #lost = new AbortController();

  private constructor(root: string, path: string, token: string) {
    this.#root = root;
    this.#path = path;
    this.#token = token;
    this.#timer = setInterval(() => this.#beat(), beatMs);
  }

  /**
   * Takes the claim, or waits for an answer for as long as another holder lives. Undefined when `stop` is aborted.
   * `answered` looks for the answer; it gets the token of the last holder that was waited for. `onWait` hears of each
   * holder.
   */
  static async takeOr<T>(
    path: string,
    answered: (waitedFor: string | undefined) => T | undefined,
    stop: AbortSignal,
    onWait: (holder: { pid: number; host: string }) => void = () => {},
  ): Promise<{ claim: Claim } | { answer: T } | undefined> {
    const own: Holder = {
      schema: "xfer.claim.v1",
      token: crypto.randomUUID(),
      ...ownTable(),
      process: ownIdentity(),
    };
    const watch = new SignWatch();
    let waitedFor: string | undefined;
    while (!stop.aborted) {
      const before = answered(waitedFor);
      if (before !== undefined) return { answer: before };
      const last = lastOf(path);
      const free = last === undefined ? path : isGone(last, watch) ? following(path, last) : undefined;
      if (free !== undefined && makeIfFree(free, own.token, `${JSON.stringify(own)}\n`)) {
        const claim = new Claim(path, free, own.token);
        // The answer may have come meanwhile, or the claim may hang on a chain that was removed.
        const answer = answered(waitedFor);
        if (answer === undefined && claim.isHeld()) return { claim };
        claim.release();
        if (answer !== undefined) return { answer };
      }
      const { token, host, process: other } = last?.holder ?? {};
      if (token !== undefined && token !== waitedFor && host !== undefined && other) {
        onWait({ pid: other.pid, host });
        waitedFor = token;
      }
      await sleep(pollMs, stop);
    }
    return undefined;
  }

  get token(): string {
    return this.#token;
  }

  /** Aborted when another agent has taken this holder for dead and followed it. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  isHeld(): boolean {
    return lastOf(this.#root)?.holder?.token === this.#token;
  }

  #beat(): void {
    try {
      if (!this.isHeld()) throw new Error("another has followed");
      const now = new Date();
      utimesSync(this.#path, now, now);
    } catch {
      this.#lost.abort("SIGTERM");
    }
  }

  /** Lets other agents take the claim. A claim that was followed stays, since the chain hangs on it. */
  release(): void {
    clearInterval(this.#timer);
    const chain = [...chainOf(this.#root)].map(({ holder }) => holder?.token);
    const at = chain.indexOf(this.#token);
    if (at === -1 || at === chain.length - 1) removeIfExists(this.#path);
  }

  /** Removes all claims of the chain; call it when the answer is there. */
  settle(): void {
    clearInterval(this.#timer);
    const chain = [...chainOf(this.#root)];
    for (const { path } of chain.reverse()) removeIfExists(path);
  }
}

function* chainOf(root: string): Generator<FoundClaim> {
  for (let path = root; ; ) {
    const found = readClaim(path);
    if (!found) return;
    yield found;
    path = following(root, found);
  }
}

/** The name of the claim that follows this one. A claim without a token was torn by a crash, and is followed once. */
function following(root: string, { path, holder }: FoundClaim): string {
  return holder ? `${root}.${holder.token}` : `${path}.torn`;
}

function lastOf(root: string): FoundClaim | undefined {
  let last: FoundClaim | undefined;
  for (const found of chainOf(root)) last = found;
  return last;
}

/** Reads a claim. The file is opened, since over NFS only that fetches its attributes anew. */
function readClaim(path: string): FoundClaim | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const signOfLife = String(fstatSync(fd).mtimeMs);
    const parsed = v.safeParse(holderSchema, parseJson(readFileSync(fd, "utf8")));
    return { path, holder: parsed.success ? parsed.output : undefined, signOfLife };
  } finally {
    closeSync(fd);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a holder is dead: by its pid where that can be looked up from here, otherwise by its silence. */
function isGone({ path, holder, signOfLife }: FoundClaim, watch: SignWatch): boolean {
  const runs = holder && runsStill(holder.process, holder);
  if (runs !== undefined) return !runs;
  return watch.silentMs(`${path} ${holder?.token} ${signOfLife}`, Date.now()) > silenceMs;
}

/**
 * Measures how long a sign of life has not changed, in time in which this process itself was running. A process that was
 * suspended has not looked meanwhile, and learns nothing from the time that has passed.
 */
export class SignWatch {
  #sign: string | undefined;
  #silentMs = 0;
  #lookedAt = 0;

  silentMs(sign: string, now: number): number {
    if (sign !== this.#sign) this.#silentMs = 0;
    else this.#silentMs += Math.min(Math.max(0, now - this.#lookedAt), 4 * pollMs);
    this.#sign = sign;
    this.#lookedAt = now;
    return this.#silentMs;
  }
}
