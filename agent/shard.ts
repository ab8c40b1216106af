import { mkdirSync } from "node:fs";
import { remoteContext } from "../lib/rclone/conf.ts";
import { isLocal, localEnds } from "../lib/rclone/local-ends.ts";
import { rootKind } from "../lib/rclone/root.ts";
import { sortUserFlags } from "../lib/rclone/user-flags.ts";
import type { RunConfig } from "../lib/run/config.ts";
import { Journal } from "../lib/run/journal.ts";
import { type RunLayout, type ShardLayout, shardLayout } from "../lib/run/layout.ts";
import { checkDoneRoots, requireSameRoots } from "../lib/run/roots.ts";
import { type AttemptState, readAttempt, type StopCause } from "../lib/run/state/attempt.ts";
import { isValidDone, readDone } from "../lib/run/state/done.ts";
import { readFail, writeFail } from "../lib/run/state/fail.ts";
import { distrustFindings } from "../lib/run/state/findings.ts";
import type { StateFile } from "../lib/run/state/state-file.ts";
import type { ShardEntry, ShardsMeta } from "../lib/shard/meta.ts";
import { checkShardDigest, ShardRecords } from "../lib/shard/records.ts";
import type { ArrayTask } from "../lib/slurm/array-task.ts";
import { messageOf, operationFailed, XferError } from "../lib/system/errors.ts";
import { log } from "../lib/system/log.ts";
import { signalProcessGroup } from "../lib/system/process.ts";
import { ownTable, runsStill } from "../lib/system/process-identity.ts";
import { formatBytes, formatObjects } from "../lib/system/units.ts";
import { runAttempt } from "./attempt.ts";
import { decideStart } from "./decide/start.ts";
import { examineDestination } from "./destination.ts";
import { ShardLedger, type ShardOutcome } from "./ledger.ts";
import { ShardLock } from "./lock.ts";
import { askPlace, probeDestination } from "./probe.ts";
import { ShardLog } from "./shard-log.ts";

/** One shard of a run, as an array task gets it. */
export interface ShardTask {
  run: RunLayout;
  config: RunConfig;
  meta: ShardsMeta;
  shard: number;
  /** What started this agent: a new submission has a new budget of attempts. */
  submission: string;
  /** The node's name for people: Slurm's, or the host's. */
  node: string;
  /** The array task that this is, under Slurm. */
  arrayTask: ArrayTask | undefined;
  stop: AbortSignal;
  /** What a stop meant; under Slurm it is asked. */
  stopCause: () => Promise<StopCause>;
  /** How many nodes Slurm may be asked to keep a shard off. */
  avoidableNodes: () => Promise<number>;
}

/**
 * Brings one shard as far as one attempt can. Order of writes: .lock, .attempt, then journal and log as objects are proven,
 * then .done or .fail, then .attempt's outcome. Throws invalid input for a shard that is not the recorded one, and
 * operation failed when another agent holds the shard.
 */
export async function runShard(task: ShardTask): Promise<ShardOutcome> {
  const { run, meta, shard, submission } = task;
  const layout = shardLayout(run, shard);
  const entry = meta.shards[shard];
  if (!entry)
    throw operationFailed(`shard ${shard}: the run has only the shards 0 to ${meta.num_shards - 1}`);
  const done = readDone(layout.done);
  if (isValidDone(done, entry)) {
    checkDoneRoots(layout.done, done, { path: run.config, roots: task.config });
    log.info(`shard ${shard}: done already (${formatObjects(entry.records)}, ${formatBytes(entry.bytes)})`);
    return { kind: "done" };
  }
  mkdirSync(run.stateDir, { recursive: true });
  const lock = await ShardLock.take({
    path: layout.lock,
    progressPath: layout.progress,
    shard,
    submission,
    stop: task.stop,
  });
  try {
    return await runLocked(task, layout, entry, lock);
  } finally {
    lock.release();
  }
}

async function runLocked(
  task: ShardTask,
  layout: ShardLayout,
  entry: ShardEntry,
  lock: ShardLock,
): Promise<ShardOutcome> {
  const { run, config, meta, shard, submission, node, stop } = task;
  const flags = sortUserFlags(config.rclone_flags, process.env);
  const context = remoteContext(config.rclone_config ?? undefined, config.runtime, flags.given);
  const destEnds = localEnds(config.dest_root, context);
  const records = await readOwnRecords(task, layout, entry);
  const before = readAttempt(layout.attempt);
  if (before.kind === "unreadable") log.warn(`${before.reason}: taken as the first attempt`);
  await endOrphan(before, shard);
  const roots = { source_root: config.source_root, dest_root: config.dest_root };
  const journal = new Journal(layout.journal, { ...entry, roots });
  try {
    // What the page cache of a node that may be gone held is copied again.
    const provenBefore = journal.proofs.count;
    if (isLocal(destEnds) && !isOfThisBoot(before)) {
      journal.dropUnsettled();
      if (before.kind !== "none") distrustFindings(layout.found, entry);
    }
    const fail = readFail(layout.fail);
    const start = decideStart(before, {
      submission,
      maxAttempts: config.max_attempts,
      maxRestarts: config.max_restarts,
      proven: provenBefore,
      finalFail: fail.kind === "value" && fail.value.final && fail.value.sha256 === entry.sha256,
    });
    const ledger = new ShardLedger({
      shard,
      submission,
      node,
      maxAttempts: config.max_attempts,
      avoidableNodes: task.avoidableNodes,
      stop,
      layout,
      records,
      journal,
      sha256: entry.sha256,
      roots,
    });
    if (start.kind === "failed-already") return { kind: "failed" };
    if (start.kind === "budget-spent") return ledger.refuse(start);
    const shardLog = new ShardLog(layout.log(start.attempt));
    try {
      ledger.begin(start);
      log.info(
        `shard ${shard}: attempt ${start.attempt}: ${formatObjects(records.count)}, ${formatBytes(records.bytes)}, ` +
          `${formatObjects(journal.proofs.count)} proven before`,
      );
      const result = await runAttempt({
        shard,
        sha256: entry.sha256,
        attempt: start.attempt,
        node,
        task: task.arrayTask,
        config,
        layout,
        records,
        journal,
        lock,
        log: shardLog,
        stop,
        flags,
        context,
        destEnds,
        examine: (until, onHindrance) => {
          const destKind = rootKind(config.dest_root, context.remotes, context.env);
          const bucketOnly = flags.comparesDestination;
          const probe = (end: AbortSignal) =>
            probeDestination({ run, config, meta, destKind, context, bucketOnly, stop: end, onHindrance });
          return examineDestination({ run, destRoot: config.dest_root, meta, shard, stop: until, probe });
        },
        ask: (side, end) => askPlace(run, config, context, side, end),
        transfers: start.counters.transfers,
        onChild: (child) => ledger.noteChild(child),
        onCopying: () => ledger.noteCopying(),
      });
      const outcome = await ledger.end(result, shardLog);
      if (outcome.kind === "stopped") ledger.noteStop(await task.stopCause());
      return outcome;
    } finally {
      shardLog.close();
    }
  } finally {
    journal.close();
  }
}

/** Reads the shard's records; one that is not the recorded shard is noted in .fail before the error is thrown. */
async function readOwnRecords(
  task: ShardTask,
  layout: ShardLayout,
  entry: ShardEntry,
): Promise<ShardRecords> {
  try {
    await checkShardDigest(layout.records, entry.sha256);
    const records = await ShardRecords.read(layout.records, entry.records);
    if (records.roots) {
      requireSameRoots(
        { path: layout.records, roots: records.roots },
        { path: task.run.config, roots: task.config },
        "render the run again",
      );
    }
    return records;
  } catch (error) {
    if (!(error instanceof XferError)) throw error;
    const { shard, node } = task;
    const { records, bytes } = entry;
    const proven = { records: 0, bytes: 0, copied: 0, copiedBytes: 0 };
    writeFail(
      layout.fail,
      { shard, sha256: null, records, bytes, node, proven },
      { class: "config", final: true, message: messageOf(error), exitCode: null, attempt: 0, errors: [] },
    );
    throw error;
  }
}

/** Whether an attempt ran on this host, which has not started anew since. */
function isOfThisBoot(before: StateFile<AttemptState>): boolean {
  if (before.kind !== "value" || before.value.boot === null) return false;
  const { host, boot } = ownTable();
  return before.value.host === host && before.value.boot === boot;
}

/** Kills an rclone that outlived its agent and can be looked up from here: the next start must not write beside it. */
async function endOrphan(before: StateFile<AttemptState>, shard: number): Promise<void> {
  if (before.kind !== "value" || before.value.outcome !== "running") return;
  const { child } = before.value;
  if (child === null) return;
  for (let tries = 0; runsStill(child, before.value) === true; tries++) {
    log.warn(`shard ${shard}: rclone (pid ${child.pid}) outlived its agent: killing it`);
    signalProcessGroup(child.pid, "SIGKILL");
    if (tries >= 100) throw operationFailed(`shard ${shard}: pid ${child.pid} cannot be killed`);
    await Bun.sleep(100);
  }
}
