import { closeSync, fstatSync, linkSync, openSync, readFileSync, statSync, utimesSync } from "node:fs";
import * as v from "valibot";
import { removeIfExists, writeFileDurable } from "../lib/system/durable.ts";
import { errnoOf } from "../lib/system/errors.ts";
import { sleep } from "../lib/system/interrupt.ts";
import { ownIdentity, ownTable, runsStill } from "../lib/system/process-identity.ts";

/** How often a holder shows that it is alive, and how often the others look. */
const beatMs = 2_000;
const pollMs = 250;
/** How long a holder that cannot be asked for by pid may show no sign of life, in time that the waiter itself ran. */
const silenceMs = 60_000;

const holderSchema = v.object({
  schema: v.literal("xfer.claim.v1"),
  token: v.pipe(v.string(), v.regex(/^[\w-]+$/)),
  host: v.string(),
  boot: v.nullable(v.string()),
  pid_namespace: v.nullable(v.string()),
  process: v.object({ pid: v.number(), start: v.string() }),
});

type Holder = v.InferOutput<typeof holderSchema>;

/** A claim that is there: its holder, where it can be read, and what changes while that one is alive. */
interface FoundClaim {
  path: string;
  holder: Holder | undefined;
  sign: string;
}

/**
 * The right to do something once for many agents, on any host.
 *
 * Claims form a chain: the first is made under `path`, and one that follows a holder with the token T under `path.T`, both
 * by link(2), which one of several takers wins. So a holder that has died is followed by exactly one, whoever else has
 * found it dead and when: its token is used up. The last of the chain holds the right. A holder that lets go removes its
 * own link alone, and the same place can be taken again; `settle` removes the chain when the thing is done for good.
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
   * Takes the claim, or waits, for as long as another holder lives, until there is an answer. Undefined when `stop` is
   * aborted. `answered` is given the token of the holder that it has waited for last; `onWait` is told of each holder.
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
      if (free !== undefined && makeIfFree(free, own)) {
        const claim = new Claim(path, free, own.token);
        // It may have been answered while it was taken, or its place may hang on a chain that has gone.
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

  /** Aborted when another has followed this holder, which it took for dead. */
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

  /** Lets others take it. A claim that another has followed stays: the chain hangs on it. */
  release(): void {
    clearInterval(this.#timer);
    const chain = [...chainOf(this.#root)].map(({ holder }) => holder?.token);
    const at = chain.indexOf(this.#token);
    if (at === -1 || at === chain.length - 1) removeIfExists(this.#path);
  }

  /** Removes all claims: from here on there is an answer. */
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

/** Where the claim is made that follows this one. One without a token was torn by a crash, and can be followed once. */
function following(root: string, { path, holder }: FoundClaim): string {
  return holder ? `${root}.${holder.token}` : `${path}.torn`;
}

function lastOf(root: string): FoundClaim | undefined {
  let last: FoundClaim | undefined;
  for (const found of chainOf(root)) last = found;
  return last;
}

/** Opened, not asked for by name alone: over NFS that is what fetches the file's attributes anew. */
function readClaim(path: string): FoundClaim | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const sign = String(fstatSync(fd).mtimeMs);
    const parsed = v.safeParse(holderSchema, parseJson(readFileSync(fd, "utf8")));
    return { path, holder: parsed.success ? parsed.output : undefined, sign };
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

/** Whether a holder is dead: asked for by pid where that means the same process, otherwise judged by its silence. */
function isGone({ path, holder, sign }: FoundClaim, watch: SignWatch): boolean {
  const runs = holder && runsStill(holder.process, holder);
  if (runs !== undefined) return !runs;
  return watch.silentMs(`${path} ${holder?.token} ${sign}`, Date.now()) > silenceMs;
}

/**
 * How long a sign has not changed, in time in which this process ran: a process that was stopped for a while has not looked
 * meanwhile, and learns nothing from the time that has passed.
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

/**
 * Makes a claim under a name that one of several takers gets: a whole file is given its name by link(2). An NFS server may
 * do that and its answer be lost, so that the second try finds the name taken: the count of links tells.
 */
function makeIfFree(path: string, content: Holder): boolean {
  const own = `${path}.own.${content.token}`;
  writeFileDurable(own, `${JSON.stringify(content)}\n`);
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    return statSync(own).nlink > 1;
  } finally {
    removeIfExists(own);
  }
}
