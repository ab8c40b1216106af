import type { OnHindrance } from "../lib/listing/listing-watch.ts";
import { storePlace } from "../lib/rclone/hindrance.ts";
import { isLocal } from "../lib/rclone/local-ends.ts";
import type { Journal } from "../lib/run/journal.ts";
import type { ShardLayout } from "../lib/run/layout.ts";
import type { ShardEntry } from "../lib/shard/meta.ts";
import type { ShardRecords } from "../lib/shard/records.ts";
import { askPlace } from "./ask-place.ts";
import { type CopyParts, CopyPass } from "./copy-pass.ts";
import type { CopySetup } from "./copy-setup.ts";
import { examineDestination, type Look } from "./destination.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Hindrances } from "./hindrance.ts";
import type { ShardLedger } from "./ledger.ts";
import type { ShardLock } from "./lock.ts";
import { probeDestination } from "./probe.ts";
import { Progress } from "./progress.ts";
import { Samples } from "./samples.ts";
import { Settler } from "./settler.ts";
import type { ShardLog } from "./shard-log.ts";
import type { ShardTask } from "./shard-task.ts";
import { Throttle } from "./throttle.ts";
import { Worklist } from "./worklist.ts";

/** A shard that an agent holds, with its files open, at the start of an attempt. */
export interface HeldShard {
  task: ShardTask;
  setup: CopySetup;
  layout: ShardLayout;
  entry: ShardEntry;
  records: ShardRecords;
  journal: Journal;
  lock: ShardLock;
  ledger: ShardLedger;
  log: ShardLog;
  attempt: number;
  /** The --transfers that throttling left an earlier attempt with; null when it has lowered none. */
  transfers: number | null;
}

/** The parts that an attempt is made of. */
export interface AttemptParts extends CopyParts {
  journal: Journal;
  heartbeat: Heartbeat;
  /** Brings copied data onto stable storage; undefined where the destination is not on this host. */
  settler: Settler | undefined;
  copy: CopyPass;
  /** Aborted by the caller alone; `stop` is aborted with it, and when the shard's state cannot be kept any more. */
  taskStop: AbortSignal;
  /** Finds out what the destination held before this run. */
  examineDestination: (onHindrance: OnHindrance) => Promise<Look>;
}

/** Builds the parts of an attempt. Its heartbeat beats from here on. */
export function buildAttempt(shard: HeldShard): AttemptParts {
  const { task, setup, layout, records, journal, lock, ledger, log } = shard;
  const { config, context } = setup;
  const progress = new Progress(layout.progress, {
    shard: task.shard,
    sha256: shard.entry.sha256,
    attempt: shard.attempt,
    node: task.node,
    records: records.count,
    bytes: records.bytes,
  });
  const hindrances = new Hindrances(
    { source: storePlace(config.source_root, context), destination: storePlace(config.dest_root, context) },
    Date.now(),
  );
  const worklist = new Worklist(records, journal, (size, proof) => {
    progress.proven(size, proof);
    hindrances.proven(Date.now());
  });
  progress.count(worklist);
  const wanted = setup.flags.transfers;
  const throttle = new Throttle({ wanted, transfers: Math.min(wanted, shard.transfers ?? wanted) });
  const samples = new Samples(layout.samples, { onProblem: (message) => log.note("error", message) });
  const heartbeat = new Heartbeat({
    ...{ journal, log, lock },
    writeProgress: () => progress.write(new Date(), throttle, hindrances.state(Date.now())),
    sample: (told, isLast) => samples.note(told, throttle.transfers, isLast),
  });
  const stop = AbortSignal.any([task.stop, heartbeat.signal]);
  const parts: CopyParts = {
    ...{ setup, layout, records, worklist, progress, hindrances, throttle, ledger, log, stop },
    task: task.arrayTask,
    askPlace: (side, until) => askPlace(task.run, setup, side, until),
  };
  return {
    ...parts,
    journal,
    heartbeat,
    settler: isLocal(setup.destEnds) ? new Settler(setup.destEnds, journal) : undefined,
    copy: new CopyPass(parts),
    taskStop: task.stop,
    examineDestination: (onHindrance) => examine(task, setup, stop, onHindrance),
  };
}

function examine(
  { run, meta, shard }: ShardTask,
  { config, context, kinds, flags }: CopySetup,
  stop: AbortSignal,
  onHindrance: OnHindrance,
): Promise<Look> {
  const wanted = { destKind: kinds.dest, bucketOnly: flags.comparesDestination };
  const probe = (until: AbortSignal) =>
    probeDestination({ run, config, meta, context, ...wanted, stop: until, onHindrance });
  return examineDestination({ run, destRoot: config.dest_root, meta, shard, stop, probe });
}
