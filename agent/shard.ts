import { mkdirSync } from "node:fs";
import { isLocal } from "../lib/rclone/local-ends.ts";
import { Journal } from "../lib/run/journal.ts";
import { type ShardLayout, shardLayout } from "../lib/run/layout.ts";
import { checkDoneRoots, requireSameRoots } from "../lib/run/roots.ts";
import { type AttemptState, readAttempt } from "../lib/run/state/attempt.ts";
import { isValidDone, readDone } from "../lib/run/state/done.ts";
import { readFail, writeFail } from "../lib/run/state/fail.ts";
import { distrustFindings } from "../lib/run/state/findings.ts";
import type { StateFile } from "../lib/run/state/state-file.ts";
import type { ShardEntry } from "../lib/shard/meta.ts";
import { checkShardDigest, ShardRecords } from "../lib/shard/records.ts";
import { messageOf, operationFailed, XferError } from "../lib/system/errors.ts";
import { log } from "../lib/system/log.ts";
import { signalProcessGroup } from "../lib/system/process.ts";
import { ownTable, runsStill } from "../lib/system/process-identity.ts";
import { formatBytes, formatObjects } from "../lib/system/units.ts";
import { runAttempt } from "./attempt.ts";
import { buildAttempt, type HeldShard } from "./attempt-parts.ts";
import { copySetupOf } from "./copy-setup.ts";
import { decideStart, type StartDecision } from "./decide/start.ts";
import { ShardLedger, type ShardOutcome } from "./ledger.ts";
import { ShardLock } from "./lock.ts";
import { ShardLog } from "./shard-log.ts";
import type { ShardTask } from "./shard-task.ts";

/**
 * Brings one shard as far as one attempt can. The order of writes is: .lock, .attempt, then journal and log as objects are
 * proven, then .done or .fail, then .attempt's outcome. Throws invalid input for a shard that is not the recorded one, and
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

/** Opens what the shard's earlier starts left, decides whether it starts again, and makes the attempt. */
async function runLocked(
  task: ShardTask,
  layout: ShardLayout,
  entry: ShardEntry,
  lock: ShardLock,
): Promise<ShardOutcome> {
  const { config, shard, submission, node, stop } = task;
  const setup = copySetupOf(config, task.env);
  const records = await readOwnRecords(task, layout, entry);
  const before = readAttempt(layout.attempt);
  if (before.kind === "unreadable") log.warn(`${before.reason}: taken as the first attempt`);
  await endOrphan(before, shard);
  const roots = { source_root: config.source_root, dest_root: config.dest_root };
  const journal = new Journal(layout.journal, { ...entry, roots });
  try {
    const proven = journal.proofs.count;
    if (isLocal(setup.destEnds)) distrustLostMemory(before, journal, layout, entry);
    const start = decide(task, layout, entry, before, proven);
    const ledger = new ShardLedger({
      ...{ shard, submission, node, stop, layout, records, journal, roots },
      maxAttempts: config.max_attempts,
      avoidableNodes: task.avoidableNodes,
      sha256: entry.sha256,
    });
    if (start.kind === "failed-already") return { kind: "failed" };
    if (start.kind === "budget-spent") return ledger.refuse(start);
    const held = { task, setup, layout, entry, records, journal, lock, ledger };
    return await attemptOnce(held, start);
  } finally {
    journal.close();
  }
}

/** Makes the attempt that was decided on, and writes its outcome. */
async function attemptOnce(
  held: Omit<HeldShard, "log" | "attempt" | "transfers">,
  start: Extract<StartDecision, { kind: "start" }>,
): Promise<ShardOutcome> {
  const { task, layout, records, journal, ledger } = held;
  const { attempt, counters } = start;
  const shardLog = new ShardLog(layout.log(attempt));
  try {
    ledger.begin(start);
    log.info(
      `shard ${task.shard}: attempt ${attempt}: ${formatObjects(records.count)}, ${formatBytes(records.bytes)}, ` +
        `${formatObjects(journal.proofs.count)} proven before`,
    );
    const parts = buildAttempt({ ...held, log: shardLog, attempt, transfers: counters.transfers });
    const outcome = await ledger.end(await runAttempt(parts), shardLog);
    if (outcome.kind === "stopped") ledger.noteStop(await task.stopCause());
    return outcome;
  } finally {
    shardLog.close();
  }
}

function decide(
  { config, submission }: ShardTask,
  layout: ShardLayout,
  entry: ShardEntry,
  before: StateFile<AttemptState>,
  proven: number,
): StartDecision {
  const fail = readFail(layout.fail);
  return decideStart(before, {
    submission,
    maxAttempts: config.max_attempts,
    maxRestarts: config.max_restarts,
    proven,
    finalFail: fail.kind === "value" && fail.value.final && fail.value.sha256 === entry.sha256,
  });
}

/**
 * Forgets proofs that may have rested on the page cache of a node that is gone: unless the attempt before ran on this host
 * since its last boot, objects that were not brought onto stable storage are copied again.
 */
function distrustLostMemory(
  before: StateFile<AttemptState>,
  journal: Journal,
  layout: ShardLayout,
  entry: ShardEntry,
): void {
  if (isOfThisBoot(before)) return;
  journal.dropUnsettled();
  if (before.kind !== "none") distrustFindings(layout.found, entry);
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

/** Whether an attempt ran on this host since it was last booted. */
function isOfThisBoot(before: StateFile<AttemptState>): boolean {
  if (before.kind !== "value" || before.value.boot === null) return false;
  const { host, boot } = ownTable();
  return before.value.host === host && before.value.boot === boot;
}

/** Kills an rclone that outlived its agent, if it can be looked up from here: a new one must not write beside it. */
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
