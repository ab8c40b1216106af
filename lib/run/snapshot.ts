import type { ShardsMeta } from "../shard/meta.ts";
import type { RateWindow } from "../system/rate.ts";
import { type Account, type Amount, accountOf, readShardFiles, type ShardFiles } from "./account.ts";
import type { RunLayout } from "./layout.ts";
import { type RunHindrance, runHindrance } from "./state/hindrance.ts";
import type { ProgressState } from "./state/progress.ts";

/** A run in mid-flight. */
export interface RunProgress {
  account: Account;
  /** Bytes of objects that are on their way; the account counts them as unfinished. */
  bytesInFlight: number;
  bytesPerSecond: number;
  etaSeconds: number | null;
  /** What keeps shards from being copied on. */
  hindrance: RunHindrance | undefined;
  /** How many requests of the last half minute were refused, and rclone's transfers, where a store throttles. */
  throttling: ProgressState["throttling"];
}

interface AccountNow {
  account: Account;
  files: ShardFiles[];
}

/** The account as the state files are now; `outside` is what is in no shard. */
export function accountNow(
  run: RunLayout,
  meta: ShardsMeta,
  outside: { untransferable: Amount; same: Amount },
): AccountNow {
  const files = readShardFiles(run, meta.num_shards);
  return { files, account: accountOf(meta, files, outside.untransferable, outside.same) };
}

/** The progress of a run by its account. Rate and time left count the bytes in flight, too. */
export function progressOf({ account, files }: AccountNow, rate: RateWindow): RunProgress {
  const bytesInFlight = files.reduce((sum, shard) => sum + inFlightOf(shard), 0);
  const bytes = bytesProven(account) + bytesInFlight;
  const bytesPerSecond = rate.add(Date.now(), bytes);
  const left = account.listed.bytes - account.untransferable.bytes - bytes;
  const etaSeconds = bytesPerSecond > 0 && left >= 0 ? left / bytesPerSecond : null;
  return {
    account,
    bytesInFlight,
    bytesPerSecond,
    etaSeconds,
    hindrance: runHindrance(files),
    throttling: throttlingOf(files),
  };
}

/** The throttling of all running shards together; null where nothing is refused. */
export function throttlingOf(files: readonly ShardFiles[]): RunProgress["throttling"] {
  const throttled = files.filter(isRunning).flatMap(({ progress }) => {
    const found = progress.kind === "value" ? progress.value.throttling : null;
    return found === null ? [] : [found];
  });
  const sum = { refused: 0, requests: 0, transfers: 0, wanted: 0 };
  for (const one of throttled) {
    sum.refused += one.refused;
    sum.requests += one.requests;
    sum.transfers += one.transfers;
    sum.wanted += one.wanted;
  }
  return throttled.length > 0 ? sum : null;
}

export const bytesProven = ({ copied, unchanged }: Account): number => copied.bytes + unchanged.bytes;

const isRunning = ({ done, fail }: ShardFiles): boolean => done.kind === "none" && fail.kind === "none";

function inFlightOf(shard: ShardFiles): number {
  const { progress } = shard;
  return isRunning(shard) && progress.kind === "value" ? progress.value.bytes_in_flight : 0;
}
