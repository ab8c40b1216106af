import { readdirSync, statSync } from "node:fs";
import { readUntransferable } from "../manifest/untransferable.ts";
import { type Account, type Amount, accountOf, type ShardFiles } from "../run/account.ts";
import { type RunConfig, readRunConfig } from "../run/config.ts";
import { readDeltaSame } from "../run/delta-totals.ts";
import { type RunLayout, runLayout, shardLayout } from "../run/layout.ts";
import { type AttemptState, readAttempt } from "../run/state/attempt.ts";
import { isValidDone, readDone } from "../run/state/done.ts";
import { readFail } from "../run/state/fail.ts";
import { readProgress } from "../run/state/progress.ts";
import type { StateFile } from "../run/state/state-file.ts";
import { requireShardsMeta, type ShardsMeta } from "../shard/meta.ts";
import { errnoOf } from "../system/errors.ts";

/** What the state files say of one shard. */
export interface ShardFacts extends ShardFiles {
  attempt: StateFile<AttemptState>;
}

/** A run as it is at a time. */
export interface RunFacts {
  config: RunConfig;
  meta: ShardsMeta;
  shards: readonly ShardFacts[];
  account: Account;
}

const none = { kind: "none" } as const;
const unknown: ShardFacts = { done: none, fail: none, progress: none, attempt: none };

/**
 * Reads a run again and again. A look costs one listing of the state directory, and the files of the shards that have been
 * started and are not done: on a network file system each open is a round trip.
 */
export class RunReader {
  readonly #run: RunLayout;
  #of: { config: RunConfig; meta: ShardsMeta; untransferable: Amount; same: Amount } | undefined;
  #cut = "";
  #shards: ShardFacts[] = [];

  constructor(runDir: string) {
    this.#run = runLayout(runDir);
  }

  /** The run as it is. Throws invalid input for a run that is not rendered, or has no shards. */
  async read(): Promise<RunFacts> {
    const { config, meta, untransferable, same } = await this.#ofRun();
    const there = namesIn(this.#run.stateDir);
    this.#shards = meta.shards.map((entry, shard) => {
      const known = this.#shards[shard] ?? unknown;
      return isValidDone(known.done, entry) && there.has(`shard_${shard}.done`)
        ? known
        : this.#readShard(shard, there, known);
    });
    const account = accountOf(meta, this.#shards, untransferable, same);
    return { config, meta, shards: this.#shards, account };
  }

  /** What does not change, but for a run that is cut or rendered anew. */
  async #ofRun() {
    const cut = [this.#run.shardsMeta, this.#run.config].map(stamp).join(" ");
    if (this.#of && cut === this.#cut) return this.#of;
    const meta = requireShardsMeta(this.#run.shardsMeta);
    this.#of = {
      config: readRunConfig(this.#run.config),
      meta,
      untransferable: await readUntransferable(this.#run.manifest),
      same: readDeltaSame(this.#run, meta),
    };
    this.#cut = cut;
    this.#shards = [];
    return this.#of;
  }

  #readShard(shard: number, there: ReadonlySet<string>, known: ShardFacts): ShardFacts {
    const layout = shardLayout(this.#run, shard);
    const has = (kind: string) => there.has(`shard_${shard}.${kind}`);
    const read = {
      done: has("done") ? readDone(layout.done) : none,
      fail: has("fail") ? readFail(layout.fail) : none,
      progress: has("progress") ? readProgress(layout.progress) : none,
      attempt: has("attempt") ? readAttempt(layout.attempt) : none,
    };
    // What is torn for a moment is better told as it was.
    if (isTorn(read.progress, known.progress)) read.progress = known.progress;
    if (isTorn(read.attempt, known.attempt)) read.attempt = known.attempt;
    return read;
  }
}

const isTorn = (found: { kind: string }, known: { kind: string }): boolean =>
  found.kind === "unreadable" && known.kind === "value";

/** What tells one version of a file from another. */
function stamp(path: string): string {
  const file = statSync(path, { throwIfNoEntry: false });
  return file ? `${file.ino}:${file.size}:${file.mtimeMs}` : "";
}

function namesIn(dir: string): Set<string> {
  try {
    return new Set(readdirSync(dir));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return new Set();
    throw error;
  }
}
