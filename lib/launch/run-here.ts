import { readUntransferable } from "../manifest/untransferable.ts";
import { classifyMessage } from "../rclone/failure-class.ts";
import { type Account, readShardFiles } from "../run/account.ts";
import { causesOf, type FailureCause, joinFailures } from "../run/causes.ts";
import { readDeltaSame } from "../run/delta-totals.ts";
import { type RunLayout, runLayout, shardLayout } from "../run/layout.ts";
import { requireUnpaused, watchForPause } from "../run/pause.ts";
import { checkDoneRoots, rootsOfShards } from "../run/roots.ts";
import { accountNow, bytesProven, progressOf, type RunProgress } from "../run/snapshot.ts";
import { isValidDone, readDone } from "../run/state/done.ts";
import { requireShardsMeta, type ShardsMeta } from "../shard/meta.ts";
import { type ExitCode, exitCodes } from "../system/errors.ts";
import { stopExitCode, stopReason } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { RateWindow } from "../system/rate.ts";
import { formatShards } from "../system/units.ts";
import { runLocally, type ShardEnd } from "./local-executor.ts";

/** How often the state files are read for the live line. */
const pollMs = 1_000;

/** What a local run is asked to do. */
export interface RunHereOptions {
  runDir: string;
  concurrency: number;
  command: readonly [string, ...string[]];
  submission: string;
  /** The shards to run; all when it is left out. */
  shards?: ReadonlySet<number>;
  stop: AbortSignal;
  onProgress: (progress: RunProgress) => void;
}

/** How a local run has ended. */
export interface RunEnd {
  account: Account;
  /** How many shards have failed now, and why any of the run has, each reason once. */
  failedShards: number;
  causes: FailureCause[];
  exitCode: ExitCode;
}

/**
 * Runs the agents of all shards that are not done on this machine, or of some, and gives the account of every listed object.
 * The exit code is 0 only if every object of these shards is proven, and 75 when the run was paused. Throws invalid input,
 * and starts nothing, for a run that is paused already.
 */
export async function runHere(options: RunHereOptions): Promise<RunEnd> {
  const run = runLayout(options.runDir);
  requireUnpaused(run);
  const meta = requireShardsMeta(run.shardsMeta);
  const outside = {
    untransferable: await readUntransferable(run.manifest),
    same: readDeltaSame(run, meta),
  };
  const account = () => accountNow(run, meta, outside);
  const roots = { path: run.shardsMeta, roots: await rootsOfShards(run, meta) };
  const shards = meta.shards.flatMap((entry, shard) => {
    if (options.shards?.has(shard) === false) return [];
    const path = shardLayout(run, shard).done;
    const done = readDone(path);
    if (!isValidDone(done, entry)) return [shard];
    checkDoneRoots(path, done, roots);
    return [];
  });
  if (shards.length === 0 && !options.shards)
    log.info(`${allShards(meta.num_shards)} done already: nothing to copy; the account is the whole run's`);
  const rate = new RateWindow();
  rate.add(Date.now(), bytesProven(account().account));
  const poll = setInterval(() => options.onProgress(progressOf(account(), rate)), pollMs);
  const pause = new AbortController();
  const watch = watchForPause(run, () => pause.abort());
  let ends: ShardEnd[];
  try {
    ends = await runLocally({ ...options, run, shards, pause: pause.signal });
  } finally {
    watch[Symbol.dispose]();
    clearInterval(poll);
  }
  const causes = causesOfEnds(run, meta, ends);
  const failedShards = ends.filter(({ outcome }) => outcome === "failed").length;
  const { account: ended } = account();
  const reason = stopReason(options.stop);
  const whole = options.shards
    ? ends.every(({ outcome }) => outcome === "done")
    : ended.shards.done === meta.num_shards;
  if (reason && !whole) {
    log.warn(`stopped by ${reason}: run the same command again to go on`);
    return { account: ended, failedShards, causes, exitCode: stopExitCode(reason) };
  }
  if (pause.signal.aborted && !whole) {
    log.warn(`paused: go on with xfer resume --run-dir ${options.runDir}, and then the same command again`);
    return { account: ended, failedShards, causes, exitCode: exitCodes.resumable };
  }
  return { account: ended, failedShards, causes, exitCode: whole ? exitCodes.done : exitCodes.failed };
}

/**
 * Why shards have failed: what their .fail says, or the last words of an agent that ended without writing one (another
 * agent holds the shard, a file of the run cannot be read).
 */
function causesOfEnds(run: RunLayout, meta: ShardsMeta, ends: readonly ShardEnd[]): FailureCause[] {
  const files = readShardFiles(run, meta.num_shards);
  const wordless = ends.filter(({ shard, outcome, said, startedAt }) => {
    const fail = files[shard]?.fail;
    const isExplained =
      fail?.kind === "value" && (said === "" || Date.parse(fail.value.failed_at) >= startedAt);
    return outcome === "failed" && !isExplained;
  });
  // An older .fail of theirs is not why they have failed.
  for (const { shard } of wordless) {
    const old = files[shard];
    if (old) old.fail = { kind: "none" };
  }
  const said = wordless.map(({ shard, said }) => {
    const message = said === "" ? "its agent ended without a word" : said.replace(/^shard \d+: /, "");
    const what = { class: classifyMessage(message), message, objects: 0, bytes: 0, at_least: false };
    return { shard, ...what, first_path: null };
  });
  return [...causesOf(meta, files), ...joinFailures(said)];
}

const allShards = (count: number): string =>
  count === 1 ? "the one shard is" : `all ${formatShards(count)} are`;
