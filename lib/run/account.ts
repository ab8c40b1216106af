import type { ShardsMeta } from "../shard/meta.ts";
import { type RunLayout, shardLayout } from "./layout.ts";
import { type DoneState, isValidDone, readDone } from "./state/done.ts";
import { type FailState, readFail } from "./state/fail.ts";
import { type ProgressState, readProgress } from "./state/progress.ts";
import type { StateFile } from "./state/state-file.ts";

/** The state files of one shard, as they were read. */
export interface ShardFiles {
  done: StateFile<DoneState>;
  fail: StateFile<FailState>;
  progress: StateFile<ProgressState>;
}

/** A number of objects and of their bytes. */
export interface Amount {
  objects: number;
  bytes: number;
}

/** How far every listed object of a run has come; schema xfer.account.v1. */
export interface Account {
  schema: "xfer.account.v1";
  shards: { total: number; done: number; failed: number; unfinished: number };
  listed: Amount;
  /** Copied by rclone in this run, in any of its starts. */
  copied: Amount;
  /** Found identical at the destination, by an agent or by the delta. */
  unchanged: Amount;
  /** Not proven, in shards that have failed. */
  failed: Amount;
  /** Not proven, in shards that have not ended. */
  unfinished: Amount;
  /** In no shard, since they cannot be carried. manifest.untransferable.jsonl names each; a folder counts as one object. */
  untransferable: Amount;
  /** Up to 20 objects that failed; each shard's .fail has more. */
  errors: { shard: number; path: string; class: string; message: string }[];
  /** State files that could not be relied on. */
  warnings: string[];
}

const errorsMax = 20;

const zero = (): Amount => ({ objects: 0, bytes: 0 });

/**
 * The account of a run, from its shards and their state files. `untransferable` is in no shard. Where a delta planned the
 * shards, `same` is in no shard either, but counts as listed and unchanged.
 * listed = copied + unchanged + failed + unfinished + untransferable.
 */
export function accountOf(
  meta: Pick<ShardsMeta, "num_shards" | "num_records" | "bytes_total" | "shards">,
  files: readonly ShardFiles[],
  untransferable: Amount,
  same: Amount = zero(),
): Account {
  const account: Account = {
    schema: "xfer.account.v1",
    shards: { total: meta.num_shards, done: 0, failed: 0, unfinished: 0 },
    listed: {
      objects: meta.num_records + same.objects + untransferable.objects,
      bytes: meta.bytes_total + same.bytes + untransferable.bytes,
    },
    copied: zero(),
    unchanged: { objects: same.objects, bytes: same.bytes },
    failed: zero(),
    unfinished: zero(),
    untransferable: { objects: untransferable.objects, bytes: untransferable.bytes },
    errors: [],
    warnings: [],
  };
  const add = (to: Amount, objects: number, bytes: number) => {
    to.objects += objects;
    to.bytes += bytes;
  };
  meta.shards.forEach((entry, shard) => {
    const { done, fail, progress } = files[shard] ?? { done: none, fail: none, progress: none };
    for (const file of [done, fail, progress]) {
      if (file.kind === "unreadable") account.warnings.push(file.reason);
    }
    if (done.kind === "value" && isValidDone(done, entry)) {
      account.shards.done++;
      const { copied, copied_bytes } = done.value;
      add(account.copied, copied, copied_bytes);
      add(account.unchanged, entry.records - copied, entry.bytes - copied_bytes);
    } else if (fail.kind === "value" && (fail.value.sha256 ?? entry.sha256) === entry.sha256) {
      account.shards.failed++;
      const { proven, proven_bytes, unchanged, unchanged_bytes } = fail.value;
      add(account.copied, proven - unchanged, proven_bytes - unchanged_bytes);
      add(account.unchanged, unchanged, unchanged_bytes);
      add(account.failed, entry.records - proven, entry.bytes - proven_bytes);
      for (const error of fail.value.errors) {
        if (account.errors.length < errorsMax) account.errors.push({ shard, ...error });
      }
      if (fail.value.errors.length === 0 && account.errors.length < errorsMax) {
        account.errors.push({ shard, path: "", class: fail.value.class, message: fail.value.message });
      }
    } else {
      account.shards.unfinished++;
      const known =
        progress.kind === "value" && progress.value.sha256 === entry.sha256 ? progress.value : undefined;
      const [unchanged, unchangedBytes] = [known?.objects_unchanged ?? 0, known?.bytes_unchanged ?? 0];
      add(account.copied, (known?.objects_done ?? 0) - unchanged, (known?.bytes_done ?? 0) - unchangedBytes);
      add(account.unchanged, unchanged, unchangedBytes);
      add(
        account.unfinished,
        entry.records - (known?.objects_done ?? 0),
        entry.bytes - (known?.bytes_done ?? 0),
      );
    }
  });
  return account;
}

/** The account of a run without shards, in which there is nothing to copy. */
export function emptyAccount(untransferable: Amount, same: Amount): Account {
  const none = { num_shards: 0, num_records: 0, bytes_total: 0, shards: [] };
  return accountOf(none, [], untransferable, same);
}

const none = { kind: "none" } as const;

/** Reads the state files of every shard of a run. */
export function readShardFiles(run: RunLayout, numShards: number): ShardFiles[] {
  return Array.from({ length: numShards }, (_, shard) => {
    const layout = shardLayout(run, shard);
    return {
      done: readDone(layout.done),
      fail: readFail(layout.fail),
      progress: readProgress(layout.progress),
    };
  });
}
