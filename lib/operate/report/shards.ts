import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { type Account, accountOf, type ShardFiles } from "../../run/account.ts";
import { causesOf, reasonOf } from "../../run/causes.ts";
import { type RunLayout, type ShardLayout, shardLayout } from "../../run/layout.ts";
import { type AttemptState, readAttempt } from "../../run/state/attempt.ts";
import { isValidDone, readDone } from "../../run/state/done.ts";
import { readFail } from "../../run/state/fail.ts";
import { readProgress } from "../../run/state/progress.ts";
import { readSamples, type Sample } from "../../run/state/samples.ts";
import type { StateFile } from "../../run/state/state-file.ts";
import type { ShardEntry, ShardsMeta } from "../../shard/meta.ts";
import { errnoOf } from "../../system/errors.ts";
import { isoTime } from "./iso-time.ts";
import type { Report, ReportCause, ReportShard, TimelineEntry } from "./schema.ts";
import { type ShardHistory, spansOf, standingsOf, type TimeLimits } from "./standings.ts";
import { Throughput } from "./throughput.ts";
import { faultsMax, faultsOf } from "./timeline.ts";

/** What the shards of a run and their state files tell. */
export interface ShardsFound {
  /** The account of what is in shards. */
  account: Account;
  list: ReportShard[];
  causes: ReportCause[];
  moreCauses: number;
  attempts: Report["attempts"];
  faults: TimelineEntry[];
  moreFaults: number;
  throughput: Throughput;
  sampledShards: number;
  /** The last sign of life of any shard, in milliseconds of the clock. */
  lastSignMs: number | undefined;
}

const causesMax = 100;
const warningsMax = 100;
const none = { kind: "none" } as const;
const nothing = { objects: 0, bytes: 0 };

/** The names in the folder of state; none where there is no such folder. Files that are not there are not asked for. */
function namesOf(folder: string): Set<string> {
  try {
    return new Set(readdirSync(folder));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return new Set();
    throw error;
  }
}

/** The state files of one shard that a report looks at. */
interface ReportFiles extends ShardFiles {
  attempt: StateFile<AttemptState>;
  samples: Sample[];
}

/** Reads the state files of a shard that are there and count: a shard that is done needs no heartbeat. */
function readFiles(layout: ShardLayout, entry: ShardEntry, names: ReadonlySet<string>): ReportFiles {
  const read = <T>(path: string, reader: (path: string) => StateFile<T>): StateFile<T> =>
    names.has(basename(path)) ? reader(path) : none;
  const done = read(layout.done, readDone);
  const isDone = isValidDone(done, entry);
  return {
    done,
    fail: isDone ? none : read(layout.fail, readFail),
    progress: isDone ? none : read(layout.progress, readProgress),
    attempt: read(layout.attempt, readAttempt),
    samples: names.has(basename(layout.samples)) ? readSamples(layout.samples) : [],
  };
}

const contentOf = <T>(file: StateFile<T>): T | undefined => (file.kind === "value" ? file.value : undefined);

/** What the state files say of a shard over time, as far as they are of its content. */
function historyOf(entry: ShardEntry, files: ReportFiles): ShardHistory {
  const isOwn = (sha256: string | null) => (sha256 ?? entry.sha256) === entry.sha256;
  const [done, fail, attempt, progress] = [
    isValidDone(files.done, entry) ? contentOf(files.done) : undefined,
    contentOf(files.fail),
    contentOf(files.attempt),
    contentOf(files.progress),
  ];
  const ended = done
    ? { at: done.finished_at, attempt: done.attempt, node: done.node, outcome: "done" as const }
    : fail && isOwn(fail.sha256)
      ? { at: fail.failed_at, attempt: fail.attempt, node: fail.node, outcome: "failed" as const }
      : undefined;
  const proven = done ? entry : { records: fail?.proven ?? 0, bytes: fail?.proven_bytes ?? 0 };
  return {
    records: entry.records,
    bytes: entry.bytes,
    samples: files.samples,
    attempt: attempt && isOwn(attempt.sha256) ? attempt : undefined,
    progress: progress && isOwn(progress.sha256) ? progress : undefined,
    end: ended && { ...ended, objects: proven.records, bytes: proven.bytes },
  };
}

/**
 * How a shard stands:
 *
 * | its account | its last start | state |
 * |---|---|---|
 * | done, or failed | any | that |
 * | neither | none | waiting |
 * | neither | running | under way; whether its agent lives is not asked |
 * | neither | ended | stopped |
 */
function stateOf(account: Account, attempt: AttemptState | undefined): ReportShard["state"] {
  if (account.shards.done > 0) return "done";
  if (account.shards.failed > 0) return "failed";
  if (!attempt) return "waiting";
  return attempt.outcome === "running" ? "under-way" : "stopped";
}

function shardOf(
  entry: ShardEntry,
  shard: number,
  files: ReportFiles,
  account: Account,
  limits: TimeLimits,
): ReportShard {
  const history = historyOf(entry, files);
  const { attempt, end } = history;
  const spans = spansOf(history, limits);
  const state = stateOf(account, attempt);
  const fail = state === "failed" ? contentOf(files.fail) : undefined;
  return {
    ...{ shard, state, records: entry.records, bytes: entry.bytes },
    proven: account.copied.objects + account.unchanged.objects,
    proven_bytes: account.copied.bytes + account.unchanged.bytes,
    sha256: entry.sha256,
    starts: attempt?.attempt ?? end?.attempt ?? 0,
    node: end?.node ?? attempt?.node ?? null,
    started_at: spans[0]?.from ?? null,
    ended_at: end ? isoTime(end.at) : null,
    class: fail?.class ?? null,
    message: fail?.message ?? null,
    spans,
  };
}

/** Adds the amounts and the shards of one account to another. */
function addAccount(to: Account, one: Account): void {
  for (const name of ["listed", "copied", "unchanged", "failed", "unfinished"] as const) {
    to[name].objects += one[name].objects;
    to[name].bytes += one[name].bytes;
  }
  for (const name of ["total", "done", "failed", "unfinished"] as const) to.shards[name] += one.shards[name];
  for (const warning of one.warnings) {
    if (to.warnings.length < warningsMax) to.warnings.push(warning);
  }
}

/** Reasons of failures, joined over shards that come one after the other; of more than 100 the first are kept. */
class Causes {
  readonly list = new Map<string, ReportCause>();
  more = 0;

  addShard(entry: ShardEntry, files: ReportFiles): void {
    for (const cause of causesOf({ shards: [entry] }, [files])) {
      const reason = reasonOf(cause.message, cause.first_path);
      const key = `${cause.class} ${reason}`;
      const known = this.list.get(key);
      const { class: failure, num_shards, objects, bytes, at_least } = cause;
      if (known) {
        known.num_shards += num_shards;
        known.objects += objects;
        known.bytes += bytes;
        known.at_least ||= at_least;
      } else if (this.list.size < causesMax) {
        this.list.set(key, { class: failure, reason, num_shards, objects, bytes, at_least });
      } else this.more++;
    }
  }

  sorted(): ReportCause[] {
    return [...this.list.values()].sort((a, b) => b.num_shards - a.num_shards || b.objects - a.objects);
  }
}

/** Counts of starts over all shards. */
class Attempts {
  readonly #sums = { starts: 0, walltime_stops: 0, preemptions: 0, lost_starts: 0, other_stops: 0 };
  readonly #badNodes = new Map<string, number>();
  #first: string | null = null;
  #last: string | null = null;

  add(shard: ReportShard, attempt: AttemptState | undefined): void {
    this.#sums.starts += shard.starts;
    for (const name of ["walltime_stops", "preemptions", "lost_starts", "other_stops"] as const) {
      this.#sums[name] += attempt?.[name] ?? 0;
    }
    for (const node of attempt?.bad_nodes ?? []) {
      this.#badNodes.set(node, (this.#badNodes.get(node) ?? 0) + 1);
    }
    const { started_at: start, ended_at: end } = shard;
    if (start !== null && !(this.#first !== null && this.#first <= start)) this.#first = start;
    if (end !== null && !(this.#last !== null && this.#last >= end)) this.#last = end;
  }

  totals(): Report["attempts"] {
    const bad_nodes = [...this.#badNodes].map(([node, shards]) => ({ node, shards }));
    bad_nodes.sort((a, b) => b.shards - a.shards);
    return { ...this.#sums, bad_nodes, started_at: this.#first, ended_at: this.#last };
  }
}

/** What the last start of a shard tells of faults. */
function shardFaults(shard: ReportShard, attempt: AttemptState | undefined): TimelineEntry[] {
  const noCounts = { lost_starts: 0, walltime_stops: 0, preemptions: 0, other_stops: 0 };
  return faultsOf({
    shard,
    stoppedBy: attempt?.stopped_by ?? null,
    badNodes: attempt?.bad_nodes ?? [],
    counts: attempt ?? noCounts,
  });
}

/** Reads the state files of all shards, one shard after the other: what is held of a shard is a row. */
export function readShards(run: RunLayout, meta: ShardsMeta | undefined, limits: TimeLimits): ShardsFound {
  const names = namesOf(run.stateDir);
  const account = accountOf({ num_shards: 0, num_records: 0, bytes_total: 0, shards: [] }, [], nothing);
  const list: ReportShard[] = [];
  const causes = new Causes();
  const attempts = new Attempts();
  const throughput = new Throughput();
  const faults: TimelineEntry[] = [];
  let [moreFaults, sampledShards] = [0, 0];
  let lastSignMs: number | undefined;
  meta?.shards.forEach((entry, number) => {
    const files = readFiles(shardLayout(run, number), entry, names);
    const { records: num_records, bytes: bytes_total } = entry;
    const one = accountOf({ num_shards: 1, num_records, bytes_total, shards: [entry] }, [files], nothing);
    addAccount(account, one);
    if (files.attempt.kind === "unreadable" && account.warnings.length < warningsMax) {
      account.warnings.push(files.attempt.reason);
    }
    causes.addShard(entry, files);
    const shard = shardOf(entry, number, files, one, limits);
    list.push(shard);
    const attempt = contentOf(files.attempt);
    attempts.add(shard, attempt);
    for (const fault of shardFaults(shard, attempt)) {
      if (faults.length < faultsMax) faults.push(fault);
      else moreFaults++;
    }
    if (files.samples.length > 0) sampledShards++;
    throughput.addShard(standingsOf(historyOf(entry, files), limits));
    const sign = Date.parse(shard.ended_at ?? contentOf(files.progress)?.updated_at ?? "");
    if (Number.isFinite(sign) && !(lastSignMs !== undefined && lastSignMs >= sign)) lastSignMs = sign;
  });
  return {
    ...{ account, list, causes: causes.sorted(), moreCauses: causes.more, attempts: attempts.totals() },
    ...{ faults, moreFaults, throughput, sampledShards, lastSignMs },
  };
}
