import type { FailureClass } from "../rclone/failure-class.ts";
import type { ShardLook } from "../run/state-reader.ts";
import type { ShardEntry } from "../shard/meta.ts";
import { lastSignMs, type ShardState, startOf } from "./shard-state.ts";

/** A shard as it stands; its names are those of the JSON and of the columns that are printed. */
export interface ShardRow {
  shard: number;
  state: ShardState;
  node: string | null;
  /** The number of the start that is under way, or of the last one; 0 where there was none. */
  attempt: number;
  objects_done: number;
  objects: number;
  bytes_done: number;
  bytes: number;
  /** Of what runs; null of any other. */
  bytes_per_second: number | null;
  eta_seconds: number | null;
  errors: number;
  /** Since when it is so: when the start began, or ended with .done or .fail; of a silent one its last sign. */
  since: string | null;
  /** The class of its failure, or of what it waits for. */
  class: FailureClass | null;
  message: string | null;
}

/** What the state files say of a shard that stands like that. */
export function shardRow(
  shard: number,
  { look, entry, state }: { look: ShardLook; entry: ShardEntry; state: ShardState },
): ShardRow {
  const { done, fail } = look;
  const start = startOf(look, entry);
  const own = look.progress.kind === "value" && look.progress.value.sha256 === entry.sha256;
  const progress = own && look.progress.kind === "value" ? look.progress.value : undefined;
  const failed = fail.kind === "value" && state !== "running" && state !== "done" ? fail.value : undefined;
  const ended = done.kind === "value" && state === "done" ? done.value : undefined;
  const isRunning = state === "running";
  const hindrance = isRunning ? progress?.hindrance : null;
  const proven = ended
    ? [entry.records, entry.bytes]
    : failed
      ? [failed.proven, failed.proven_bytes]
      : [progress?.objects_done ?? 0, progress?.bytes_done ?? 0];
  const silentSince = state === "stale" ? new Date(lastSignMs(look)).toISOString() : undefined;
  return {
    ...{ shard, state, node: ended?.node ?? failed?.node ?? start?.node ?? null },
    attempt: start?.attempt ?? ended?.attempt ?? failed?.attempt ?? 0,
    ...{
      objects_done: proven[0] ?? 0,
      objects: entry.records,
      bytes_done: proven[1] ?? 0,
      bytes: entry.bytes,
    },
    bytes_per_second: isRunning ? (progress?.bytes_per_second ?? 0) : null,
    eta_seconds: isRunning ? (progress?.eta_seconds ?? null) : null,
    errors: progress?.errors ?? 0,
    since: silentSince ?? ended?.finished_at ?? failed?.failed_at ?? start?.started_at ?? null,
    class: failed?.class ?? hindrance?.class ?? null,
    message: failed?.message ?? hindrance?.message ?? null,
  };
}

/** What a list of shards can be sorted by. */
export const shardSorts = ["shard", "eta", "bytes", "attempts"] as const;

export type ShardSort = (typeof shardSorts)[number];

/**
 * The rows in this order: by number; what takes longest first, and before it what runs without an end in sight; what has
 * most bytes left; most attempts. Equal ones are sorted by number.
 */
export function sortRows(rows: readonly ShardRow[], by: ShardSort): ShardRow[] {
  const weight = (row: ShardRow): number => {
    if (by === "shard") return 0;
    if (by === "attempts") return row.attempt;
    if (by === "bytes") return row.bytes - row.bytes_done;
    return row.state !== "running" ? -1 : (row.eta_seconds ?? Number.MAX_VALUE);
  };
  return [...rows].sort((a, b) => weight(b) - weight(a) || a.shard - b.shard);
}
