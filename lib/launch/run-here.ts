import { readUntransferable } from "../manifest/untransferable.ts";
import type { Account } from "../run/account.ts";
import { readDeltaSame } from "../run/delta-totals.ts";
import { runLayout, shardLayout } from "../run/layout.ts";
import { checkDoneRoots, rootsOfShards } from "../run/roots.ts";
import { accountNow, bytesProven, progressOf, type RunProgress } from "../run/snapshot.ts";
import { isValidDone, readDone } from "../run/state/done.ts";
import { readShardsMeta } from "../shard/meta.ts";
import { type ExitCode, exitCodes, invalidInput } from "../system/errors.ts";
import { stopExitCode, stopReason } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { RateWindow } from "../system/rate.ts";
import { runLocally } from "./local-executor.ts";

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
