import { mkdirSync } from "node:fs";
import { copyArgv } from "../lib/rclone/argv.ts";
import { type CopyPlan, copyPlan } from "../lib/rclone/copy-plan.ts";
import { classifyMessage, type FailureClass, worstClass } from "../lib/rclone/failure-class.ts";
import { sortUserFlags, type UserFlags } from "../lib/rclone/flags.ts";
import { parseRoot, rootKind } from "../lib/rclone/remote.ts";
import { wrapCommand } from "../lib/rclone/runtime.ts";
import type { RunConfig } from "../lib/run/config.ts";
import type { Journal, Proof } from "../lib/run/journal.ts";
import type { ShardLayout } from "../lib/run/layout.ts";
import { mountsFor } from "../lib/run/mounts.ts";
import { readRemoteTypes } from "../lib/run/remote-types.ts";
import { type ArrayTask, terminateSteps } from "../lib/slurm/scheduler.ts";
import { AtomicFile } from "../lib/system/durable.ts";
import { messageOf, XferError } from "../lib/system/errors.ts";
import { sleep } from "../lib/system/interrupt.ts";
import { childEnvironment, identifyProcess, type ProcessIdentity } from "../lib/system/process.ts";
import { quoteWords } from "../lib/system/shell-words.ts";
import { formatBytes, formatObjects } from "../lib/system/units.ts";
import { decideAfterPass } from "./decide.ts";
import { type PassResult, runPass } from "./pass.ts";
import { Progress } from "./progress.ts";
import type { ShardLog } from "./shard-log.ts";
import type { ShardRecords } from "./shard-records.ts";

/** Seconds between rclone's lines of statistics. An orphaned rclone dies at the first that nobody reads (SIGPIPE). */
const statsSeconds = 2;
/** How often .progress is rewritten and the journal and log are handed to the kernel. */
const heartbeatMs = 2_000;
/** How many heartbeats pass between two fsyncs of the journal. */
const beatsPerSync = 5;
/** Where the list of keys lies in a container. */
const keysInContainer = "/xfer.keys";

/** What an attempt works on. */
export interface AttemptOptions {
  shard: number;
  sha256: string;
  attempt: number;
  node: string;
  /** The array task that this is, under Slurm. */
  task: ArrayTask | undefined;
  config: RunConfig;
  layout: ShardLayout;
  records: ShardRecords;
  journal: Journal;
  log: ShardLog;
  stop: AbortSignal;
  /** Called with the leader of each rclone process group, and with null when it has gone. */
  onChild: (child: ProcessIdentity | null) => void;
}

/** A record that no pass could prove, and why. */
interface UnprovenRecord {
  place: number;
  class: FailureClass;
  message: string;
}

/** How an attempt ended. */
export type AttemptResult =
  | { kind: "done" }
  | { kind: "stopped" }
  | { kind: "failed"; class: FailureClass; exitCode: number | null; unproven: UnprovenRecord[] };

/**
 * One attempt at a shard: pass after pass of rclone over the records that the journal does not prove, until all are
 * proven, nothing more can be, the passes are spent, or `stop` is aborted.
 */
export async function runAttempt(options: AttemptOptions): Promise<AttemptResult> {
  const { config, layout, records, journal, log, stop } = options;
  const flags = sortUserFlags(config.rclone_flags);
  const plan = planOf(options, flags);
  const progress = new Progress(layout.progress, {
    shard: options.shard,
    sha256: options.sha256,
    attempt: options.attempt,
    node: options.node,
    records: records.count,
    bytes: records.bytes,
    plan: plan.reason,
  });
  for (let place = 0; place < records.count; place++) {
    if (journal.proofs.get(place)) progress.proven(records.sizes[place] ?? 0);
  }
  const prove = (path: string, proof: Proof) => {
    for (const place of records.placesOf(path)) {
      if (journal.add(place, proof)) progress.proven(records.sizes[place] ?? 0);
    }
  };
  log.note("info", `plan: ${plan.reason}`);
  const beat = heartbeat(() => progress.write(new Date()), journal, log);
  try {
    const missing = new Map<number, UnprovenRecord>();
    for (let pass = 1; ; pass++) {
      const todo = placesToDo(records, journal, missing);
      if (todo.length === 0 && missing.size === 0) return { kind: "done" };
      progress.startPass(pass);
      let result: PassResult | XferError;
      try {
        result = await onePass({ ...options, flags, plan, pass, todo, prove, progress });
      } catch (error) {
        if (!(error instanceof XferError)) throw error;
        result = error;
      }
      journal.sync();
      beat.check();
      if (stop.aborted) return { kind: "stopped" };
      const unproven = todo
        .filter((place) => !journal.proofs.get(place))
        .map((place) => explain(place, records, result));
      for (const record of unproven) if (record.class === "missing") missing.set(record.place, record);
      const others = unproven.filter((record) => record.class !== "missing");
      const all = [...missing.values(), ...others];
      const failure = worstClass(all.map((record) => record.class));
      const next = decideAfterPass({
        pass,
        passes: flags.passes,
        passWaitSeconds: flags.passWaitSeconds,
        unproven: all.length,
        missing: missing.size,
        failure,
      });
      if (next.kind === "done") return { kind: "done" };
      if (next.kind === "fail") {
        const exitCode = result instanceof XferError ? null : result.exit.code;
        return { kind: "failed", class: failure, exitCode, unproven: all };
      }
      log.note(
        "info",
        `${formatObjects(others.length)} not proven (${failure}): pass ${pass + 1} in ${next.waitSeconds}s`,
      );
      log.flush();
      await sleep(next.waitSeconds * 1000, stop);
      if (stop.aborted) return { kind: "stopped" };
    }
  } finally {
    beat.end();
  }
}

function planOf({ config, records }: AttemptOptions, flags: UserFlags): CopyPlan {
  const types = readRemoteTypes(config.rclone_config ?? undefined);
  return copyPlan({
    source: rootKind(config.source_root, types, process.env),
    dest: rootKind(config.dest_root, types, process.env),
    largestBytes: records.sizes.reduce((largest, size) => Math.max(largest, size), 0),
    comparesDestination: flags.comparesDestination,
  });
}

function placesToDo(
  records: ShardRecords,
  journal: Journal,
  missing: ReadonlyMap<number, unknown>,
): number[] {
  const places: number[] = [];
  for (let place = 0; place < records.count; place++) {
    if (!journal.proofs.get(place) && !missing.has(place)) places.push(place);
  }
  return places;
}

async function onePass(
  options: AttemptOptions & {
    flags: UserFlags;
    plan: CopyPlan;
    pass: number;
    todo: readonly number[];
    prove: (path: string, proof: Proof) => void;
    progress: Progress;
  },
): Promise<PassResult> {
  const { config, layout, records, log, todo, task } = options;
  const keys = new AtomicFile(layout.keys);
  try {
    for (const place of todo) keys.write(Buffer.from(`${records.paths[place]}\n`));
  } catch (error) {
    keys.abort();
    throw error;
  }
  keys.commit();
  const argv = passCommand(options);
  const bytes = todo.reduce((sum, place) => sum + (records.sizes[place] ?? 0), 0);
  log.note(
    "info",
    `pass ${options.pass}: ${formatObjects(todo.length)}, ${formatBytes(bytes)}: ${quoteWords(argv)}`,
  );
  log.flush();
  if (parseRoot(config.dest_root).form === "posix") mkdirSync(config.dest_root, { recursive: true });
  try {
    const result = await runPass({
      argv,
      env: childEnvironment(),
      log,
      stop: options.stop,
      terminate: config.runtime === "pyxis" && task ? () => terminateSteps(task) : undefined,
      onStart: (child) => options.onChild(identifyProcess(child.pid) ?? null),
      onProven: options.prove,
      onStats: (stats) => options.progress.stats(stats),
    });
    log.note("info", `pass ${options.pass} ended: exit code ${result.exit.code}`);
    return result;
  } finally {
    options.onChild(null);
  }
}

function passCommand({
  config,
  layout,
  flags,
  plan,
}: AttemptOptions & { flags: UserFlags; plan: CopyPlan }): string[] {
  const { runtime } = config;
  const inContainer = runtime !== "host";
  const configPath = config.rclone_config ?? undefined;
  const argv = copyArgv({
    sourceRoot: config.source_root,
    destRoot: config.dest_root,
    filesFrom: inContainer ? keysInContainer : layout.keys,
    configPath: inContainer && configPath !== undefined ? config.rclone_conf_in_container : configPath,
    planFlags: plan.flags,
    userFlags: flags.argv,
    statsSeconds,
    logSkipped: flags.comparesDestination,
  });
  const mounts = mountsFor({
    runtime,
    configPath,
    confInContainer: config.rclone_conf_in_container,
    readOnly: [config.source_root],
    writable: [config.dest_root],
    keys: inContainer ? { source: layout.keys, target: keysInContainer } : undefined,
  });
  return wrapCommand(argv, {
    runtime,
    image: config.rclone_image ?? undefined,
    mounts,
    cpus: config.cpus_per_task,
    pyxisExtra: config.pyxis_extra,
  });
}

/** Why a record is not proven, from what rclone said of it. */
function explain(place: number, records: ShardRecords, result: PassResult | XferError): UnprovenRecord {
  if (result instanceof XferError) {
    return { place, class: classifyMessage(result.message), message: result.message };
  }
  const message = result.objectErrors.get(records.paths[place] ?? "");
  if (message !== undefined) return { place, class: classifyMessage(message), message };
  if (result.exit.code === 0) {
    // rclone skips a key that it does not find at the source without a word.
    return {
      place,
      class: "missing",
      message: "rclone ended well without copying it: not found at the source",
    };
  }
  const said = result.error ?? `rclone ended with exit code ${result.exit.code}`;
  return { place, class: classifyMessage(said), message: `not reached: ${said}` };
}

/** Writes the state that may lag, at a steady rate; the first failure is kept for `check` to throw. */
function heartbeat(writeProgress: () => void, journal: Journal, log: ShardLog) {
  let beats = 0;
  let failure: unknown;
  const beat = () => {
    try {
      if (++beats % beatsPerSync === 0) journal.sync();
      else journal.flush();
      log.flush();
      writeProgress();
    } catch (error) {
      failure ??= error;
    }
  };
  beat();
  const timer = setInterval(beat, heartbeatMs);
  return {
    check: () => {
      if (failure !== undefined) throw new XferError(`state cannot be written: ${messageOf(failure)}`, 1);
    },
    end: () => {
      clearInterval(timer);
      beat();
    },
  };
}
