import { readdirSync, type Stats, statSync } from "node:fs";
import type { ShardsMeta } from "../shard/meta.ts";
import { errnoOf, messageOf } from "../system/errors.ts";
import { formatBytes } from "../system/units.ts";
import type { ShardFiles } from "./account.ts";
import { type RunLayout, shardLayout } from "./layout.ts";
import { type ShardFailure, shardFailures } from "./shard-failures.ts";
import { type AttemptState, readAttempt } from "./state/attempt.ts";
import { isValidDone, readDone } from "./state/done.ts";
import { readFail } from "./state/fail.ts";
import { readProgress } from "./state/progress.ts";
import type { StateFile } from "./state/state-file.ts";

/** What the state files say of one shard. Of a .fail's objects the first alone is held. */
export interface ShardLook extends ShardFiles {
  attempt: StateFile<AttemptState>;
  /** Why the shard has failed, by its .fail. */
  failures: ShardFailure[];
  /** When .progress or .attempt was written last, by the clock of the file system; 0 where neither is there. */
  writtenMs: number;
}

/** All shards of a run as they were found, and what else lies in state/. */
export interface StateLook {
  shards: readonly ShardLook[];
  /** Whether the operator's wish is there: state/control. */
  hasControl: boolean;
  /** Files with a shard's name that are no shard's of this run. */
  foreign: { files: number; first: string | null };
}

const kinds = ["done", "fail", "progress", "attempt"] as const;
type Kind = (typeof kinds)[number];

/** What a file was when it was read last: other numbers are another content. */
type Stamp = readonly [ino: number, size: number, mtimeMs: number];

/** Larger ones are not read: a .fail of 1,000 objects with keys of 1,024 bytes has some 3 MiB. */
const bytesMax = 64 * 1024 ** 2;

const none = { kind: "none" } as const;

/** Other names in state/ that a shard has, and what a file is called while it is written. */
const knownName = /^(?:journal|samples|keys|found|verify(?:\.jsonl)?|lock.*|.*\.tmp\..*)$/;

/**
 * Reads the state files of a run again and again. One listing of state/ tells which are there; of these only the ones are
 * opened that have changed since they were read, and none of a shard that is done. Never throws for what a file holds.
 */
export class StateReader {
  readonly #run: RunLayout;
  readonly #meta: Pick<ShardsMeta, "num_shards" | "shards">;
  readonly #shards: ShardLook[];
  readonly #stamps: Map<Kind, Stamp>[];
  /** The shards whose .done counts. */
  readonly #closed: Uint8Array;

  constructor(run: RunLayout, meta: Pick<ShardsMeta, "num_shards" | "shards">) {
    this.#run = run;
    this.#meta = meta;
    this.#closed = new Uint8Array(meta.num_shards);
    this.#stamps = Array.from({ length: meta.num_shards }, () => new Map());
    this.#shards = Array.from({ length: meta.num_shards }, () => ({
      ...{ done: none, fail: none, progress: none, attempt: none },
      ...{ failures: [], writtenMs: 0 },
    }));
  }

  read(): StateLook {
    const { there, hasControl, foreign } = this.#list();
    for (let shard = 0; shard < this.#meta.num_shards; shard++) {
      const bits = there[shard] ?? 0;
      if (this.#closed[shard] === 1 && (bits & bitOf("done")) !== 0) continue;
      this.#closed[shard] = 0;
      this.#refresh(shard, bits);
      const [entry, look] = [this.#meta.shards[shard], this.#shards[shard]];
      if (entry && look && isValidDone(look.done, entry)) this.#closed[shard] = 1;
    }
    return { shards: this.#shards, hasControl, foreign };
  }

  /** Which files of each shard are there, a bit for each kind. */
  #list(): { there: Uint8Array } & Pick<StateLook, "hasControl" | "foreign"> {
    const there = new Uint8Array(this.#meta.num_shards);
    const foreign: StateLook["foreign"] = { files: 0, first: null };
    let hasControl = false;
    for (const name of namesIn(this.#run.stateDir)) {
      if (name === "control") hasControl = true;
      if (!name.startsWith("shard_")) continue;
      const [, index, rest = ""] = /^shard_(0|[1-9]\d{0,8})\.(.+)$/s.exec(name) ?? [];
      const shard = index === undefined ? -1 : Number(index);
      const kind = kinds.find((one) => one === rest);
      if (shard < 0 || shard >= this.#meta.num_shards || (kind === undefined && !knownName.test(rest))) {
        foreign.files++;
        foreign.first ??= name;
      } else if (kind !== undefined) there[shard] = (there[shard] ?? 0) | bitOf(kind);
    }
    return { there, hasControl, foreign };
  }

  #refresh(shard: number, bits: number): void {
    const [look, stamps] = [this.#shards[shard], this.#stamps[shard]];
    if (!look || !stamps || (bits === 0 && stamps.size === 0)) return;
    const layout = shardLayout(this.#run, shard);
    for (const kind of kinds) {
      const stats = (bits & bitOf(kind)) !== 0 ? statOf(layout[kind]) : undefined;
      const before = stamps.get(kind);
      if (!stats) {
        if (stamps.delete(kind)) this.#take(look, kind, none);
        continue;
      }
      const stamp: Stamp = [stats.ino, stats.size, stats.mtimeMs];
      if (before?.every((value, i) => value === stamp[i])) continue;
      stamps.set(kind, stamp);
      this.#take(
        look,
        kind,
        stats.size > bytesMax ? tooLarge(layout[kind], stats.size) : readKind(kind, layout[kind]),
      );
    }
    look.writtenMs = Math.max(stamps.get("progress")?.[2] ?? 0, stamps.get("attempt")?.[2] ?? 0);
  }

  #take(look: ShardLook, kind: Kind, file: StateFile<never> | ShardLook[Kind]): void {
    Object.assign(look, { [kind]: file });
    if (kind !== "fail") return;
    const { fail } = look;
    look.failures = fail.kind === "value" ? shardFailures(fail.value) : [];
    if (fail.kind === "value") fail.value.errors.length = Math.min(1, fail.value.errors.length);
  }
}

const bitOf = (kind: Kind): number => 1 << kinds.indexOf(kind);

const unreadable = (reason: string) => ({ kind: "unreadable", reason }) as const;

const tooLarge = (path: string, bytes: number) =>
  unreadable(`${path}: has ${formatBytes(bytes)}, which no state file has`);

function readKind(kind: Kind, path: string): ShardLook[Kind] {
  const readers = { done: readDone, fail: readFail, progress: readProgress, attempt: readAttempt };
  try {
    return readers[kind](path);
  } catch (error) {
    return unreadable(`${path}: ${messageOf(error)}`);
  }
}

/** The names in a folder; none when it is not there, which is how a run is that was not started yet. */
function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // What cannot be asked for is told when it is read.
    return undefined;
  }
}
