import { readDeltaSame } from "../compare/delta.ts";
import { readUntransferable } from "../manifest/untransferable.ts";
import { readShardsMeta, type ShardsMeta } from "../shard/meta.ts";
import { type ExitCode, exitCodes, invalidInput } from "../system/errors.ts";
import { stopExitCode, stopReason } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { RateWindow } from "../system/rate.ts";
import { type Account, type Amount, accountOf, readShardFiles, type ShardFiles } from "./account.ts";
import { type RunLayout, runLayout, shardLayout } from "./layout.ts";
import { runLocally } from "./local-executor.ts";
import { checkDoneRoots, rootsOfShards } from "./roots.ts";
import { type RunHindrance, runHindrance } from "./state/hindrance.ts";
import { isValidDone, type ProgressState, readDone } from "./state.ts";

/** How often the state files are read for the live line. */
const pollMs = 1_000;

/** What a local run is asked to do. */
export interface RunHereOptions {
  runDir: string;
  concurrency: number;
  command: readonly [string, ...string[]];
  submission: string;
  stop: AbortSignal;
  onProgress: (progress: RunProgress) => void;
}

/** A run in mid-flight. */
export interface RunProgress {
  account: Account;
  bytesPerSecond: number;
  etaSeconds: number | null;
  /** What keeps shards from being copied on. */
  hindrance: RunHindrance | undefined;
  /** How many requests of the last half minute were refused, and rclone's transfers, where a store throttles. */
  throttling: ProgressState["throttling"];
}

/**
 * Runs the agents of all shards that are not done on this machine, and gives the account of every listed object.
 * The exit code is 0 only if every object is proven.
 */
export async function runHere(options: RunHereOptions): Promise<{ account: Account; exitCode: ExitCode }> {
  const run = runLayout(options.runDir);
  const meta = readShardsMeta(run.shardsMeta);
  if (!meta) throw invalidInput(`${run.shardsMeta}: no such file: shard the manifest first`);
  const outside = {
    untransferable: await readUntransferable(run.manifest),
    same: readDeltaSame(run, meta),
  };
  const account = () => accountNow(run, meta, outside);
  const roots = { path: run.shardsMeta, roots: await rootsOfShards(run, meta) };
  const shards = meta.shards.flatMap((entry, shard) => {
    const path = shardLayout(run, shard).done;
    const done = readDone(path);
    if (!isValidDone(done, entry)) return [shard];
    checkDoneRoots(path, done, roots);
    return [];
  });
  if (shards.length === 0)
    log.info(
      `all ${meta.num_shards} shards are done already: nothing to copy; the account is the whole run's`,
    );
  const rate = new RateWindow();
  rate.add(Date.now(), bytesProven(account().account));
  const poll = setInterval(() => options.onProgress(progressOf(account(), rate)), pollMs);
  try {
    const ends = await runLocally({ ...options, run, shards });
    for (const { shard, outcome, said } of ends) {
      if (outcome === "failed") log.error(`shard ${shard} failed: ${said}`);
    }
  } finally {
    clearInterval(poll);
  }
  const { account: ended } = account();
  const reason = stopReason(options.stop);
  const whole = ended.shards.done === meta.num_shards;
  if (reason && !whole) {
    log.warn(`stopped by ${reason}: run the same command again to go on`);
    return { account: ended, exitCode: stopExitCode(reason) };
  }
  return { account: ended, exitCode: whole ? exitCodes.done : exitCodes.failed };
}

interface AccountNow {
  account: Account;
  files: ShardFiles[];
}

/** The account as the state files are now; `outside` is what is in no shard. */
function accountNow(
  run: RunLayout,
  meta: ShardsMeta,
  outside: { untransferable: Amount; same: Amount },
): AccountNow {
  const files = readShardFiles(run, meta.num_shards);
  return { files, account: accountOf(meta, files, outside.untransferable, outside.same) };
}

function progressOf({ account, files }: AccountNow, rate: RateWindow): RunProgress {
  account.copied.bytes += files.reduce((sum, shard) => sum + bytesInFlight(shard), 0);
  const bytes = bytesProven(account);
  const bytesPerSecond = rate.add(Date.now(), bytes);
  const left = account.listed.bytes - account.untransferable.bytes - bytes;
  const etaSeconds = bytesPerSecond > 0 && left >= 0 ? left / bytesPerSecond : null;
  return {
    account,
    bytesPerSecond,
    etaSeconds,
    hindrance: runHindrance(files),
    throttling: throttlingOf(files),
  };
}

/** The throttling of all running shards together. */
function throttlingOf(files: readonly ShardFiles[]): RunProgress["throttling"] {
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

const bytesProven = ({ copied, unchanged }: Account): number => copied.bytes + unchanged.bytes;

const isRunning = ({ done, fail }: ShardFiles): boolean => done.kind === "none" && fail.kind === "none";

function bytesInFlight(shard: ShardFiles): number {
  const { progress } = shard;
  return isRunning(shard) && progress.kind === "value" ? progress.value.bytes_in_flight : 0;
}
