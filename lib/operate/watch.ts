import { readUntransferable } from "../manifest/untransferable.ts";
import { type Account, readShardFiles } from "../run/account.ts";
import { causesOf, type FailureCause } from "../run/causes.ts";
import { readDeltaSame } from "../run/delta-totals.ts";
import { runLayout } from "../run/layout.ts";
import { pauseOf } from "../run/pause.ts";
import { accountNow, bytesProven, progressOf, type RunProgress } from "../run/snapshot.ts";
import type { ControlState } from "../run/state/control.ts";
import { requireShardsMeta } from "../shard/meta.ts";
import { isJobQueued, readQueue } from "../slurm/squeue.ts";
import { type ExitCode, exitCodes } from "../system/errors.ts";
import { sleep, throwIfStopped } from "../system/interrupt.ts";
import { RateWindow } from "../system/rate.ts";

/** How often the state files are read, and how often Slurm is asked while tasks have something to do and when none has. */
const pollMs = 2_000;
const askMs = 30_000;
const askAtEndMs = 4_000;

/** A job array to be waited for. */
export interface WatchOptions {
  runDir: string;
  jobId: string;
  /** Aborted to wait no longer; the array goes on. */
  stop: AbortSignal;
  onProgress: (progress: RunProgress) => void;
  /** Called once for each pause of the run, which is waited for. */
  onPause: (pause: ControlState) => void;
}

/** How a run stands when its array has ended. */
export interface WatchedEnd {
  account: Account;
  failedShards: number;
  causes: FailureCause[];
  exitCode: ExitCode;
}

/**
 * Waits until all shards are done, or no task of the array waits or runs any more, and gives the account of every listed
 * object. Throws, exit code 75 or 130, when it was asked to stop.
 */
export async function watchRun({
  runDir,
  jobId,
  stop,
  onProgress,
  onPause,
}: WatchOptions): Promise<WatchedEnd> {
  const run = runLayout(runDir);
  const meta = requireShardsMeta(run.shardsMeta);
  const outside = {
    untransferable: await readUntransferable(run.manifest),
    same: readDeltaSame(run, meta),
  };
  const rate = new RateWindow();
  rate.add(Date.now(), bytesProven(accountNow(run, meta, outside).account));
  let askedAt = Date.now();
  let absent = 0;
  for (let pausedAt: string | undefined; ; ) {
    const now = accountNow(run, meta, outside);
    const { done, failed, total } = now.account.shards;
    const pause = pauseOf(run);
    if (pause && pause.at !== pausedAt) onPause(pause);
    pausedAt = pause?.at;
    onProgress(progressOf(now, rate));
    // A task between its end and its requeue could be missed once.
    if (done === total || absent >= 2) break;
    await sleep(pollMs, stop);
    throwIfStopped(stop, goesOn(jobId, runDir));
    if (Date.now() - askedAt < (done + failed === total || absent > 0 ? askAtEndMs : askMs)) continue;
    askedAt = Date.now();
    absent = (await isJobQueued(jobId)) === false ? absent + 1 : 0;
  }
  const { account } = accountNow(run, meta, outside);
  const { done, failed, total } = account.shards;
  const exitCode = done === total ? exitCodes.done : exitCodes.failed;
  return { account, failedShards: failed, causes: causesOf(meta, readShardFiles(run, total)), exitCode };
}

const goesOn = (jobId: string, runDir: string): string =>
  `job ${jobId} goes on; to wait for it again: xfer run --run-dir ${runDir} --watch`;

/**
 * Waits until no task of these jobs waits or runs any more; at once when there are none. While Slurm does not answer it waits
 * on. Throws, exit code 75 or 130, when it was asked to stop.
 */
export async function waitForJobs(
  jobIds: readonly string[],
  { runDir, stop }: Pick<WatchOptions, "runDir" | "stop">,
): Promise<void> {
  if (jobIds.length === 0) return;
  for (let absent = 0; absent < 2; ) {
    const queue = await readQueue(jobIds);
    // A task between its end and its requeue could be missed once.
    absent = queue?.length === 0 ? absent + 1 : 0;
    await sleep(askAtEndMs, stop);
    throwIfStopped(stop, goesOn(jobIds.join(", "), runDir));
  }
}
