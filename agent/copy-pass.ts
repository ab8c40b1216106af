import { mkdirSync } from "node:fs";
import { parseRoot } from "../lib/rclone/remote-options.ts";
import { stepEnvironment } from "../lib/rclone/runtime.ts";
import type { ShardLayout } from "../lib/run/layout.ts";
import type { ShardRecords } from "../lib/shard/records.ts";
import type { ArrayTask } from "../lib/slurm/array-task.ts";
import { terminateSteps } from "../lib/slurm/scancel.ts";
import { AtomicFile } from "../lib/system/durable.ts";
import { messageOf, operationFailed, XferError } from "../lib/system/errors.ts";
import { identifyProcess } from "../lib/system/process-identity.ts";
import { quoteWords } from "../lib/system/shell-words.ts";
import { formatBytes, formatObjects } from "../lib/system/units.ts";
import type { AskPlace } from "./ask-place.ts";
import {
  countWhere,
  EarlierStarts,
  type EndedStart,
  lastOfFirst,
  wasCutOff,
  wentThrough,
} from "./bounded-starts.ts";
import { copyCommand } from "./copy-command.ts";
import type { CopySetup } from "./copy-setup.ts";
import { CopyTime } from "./copy-time.ts";
import type { Hindrances } from "./hindrance.ts";
import { HindranceAsker } from "./hindrance-asker.ts";
import type { ShardLedger } from "./ledger.ts";
import { lostStep, type PassPart } from "./pass-part.ts";
import type { Progress } from "./progress.ts";
import { type RcloneOptions, type RcloneResult, runRclone } from "./rclone-run.ts";
import type { ShardLog } from "./shard-log.ts";
import type { Throttle } from "./throttle.ts";
import type { Worklist } from "./worklist.ts";

/** How often throttling is looked at beside rclone's lines: its pacer may keep rclone silent for two seconds. */
const throttleTickMs = 250;

/** The parts of an attempt that copying works with. */
export interface CopyParts {
  setup: CopySetup;
  /** The array task that this is, under Slurm. */
  task: ArrayTask | undefined;
  layout: ShardLayout;
  records: ShardRecords;
  worklist: Worklist;
  progress: Progress;
  hindrances: Hindrances;
  throttle: Throttle;
  ledger: Pick<ShardLedger, "noteChild" | "noteCopying">;
  log: ShardLog;
  /** Asks why a place does not answer. */
  askPlace: AskPlace;
  /** Aborted by the caller's stop, or when the shard's state cannot be kept any more. */
  stop: AbortSignal;
}

/** Which part of which pass is copied. */
export interface PartOfPass {
  pass: number;
  mayBeThere: boolean;
  isPiece: boolean;
  /** rclone's version, where it is known: [1, 60]. */
  version: readonly [number, number] | undefined;
}

/** Runs rclone over lists of records, and proves what its log says. */
export class CopyPass {
  /** Whether rclone itself has said anything in this attempt. */
  spoke = false;
  readonly #parts: CopyParts;
  readonly #copyTime = new CopyTime(performance.now());

  constructor(parts: CopyParts) {
    this.#parts = parts;
  }

  /**
   * Copies the records of a part that are to do; undefined when none is. While the store throttles, that takes several
   * starts of rclone, whose results are merged.
   */
  async copyPart(includes: (index: number) => boolean, which: PartOfPass): Promise<PassPart | undefined> {
    const { records, stop, worklist } = this.#parts;
    const before = worklist.unproven;
    const total = countWhere(records.count, includes);
    const earlier = new EarlierStarts(records, worklist.causeOf);
    let last: EndedStart | undefined;
    let bounded = true;
    for (;;) {
      const unprovenBefore = worklist.unproven;
      const isToDo = (index: number) => includes(index) && !earlier.hasFailed(index);
      const start = await this.#startOnce(isToDo, which, bounded);
      if (!start) break;
      last = start;
      const { result, end } = start;
      if (result instanceof XferError || stop.aborted || end === "by-itself") break;
      const hasFailures = earlier.add(result, end);
      // If no object came to an end, the time was too short: rclone looks all objects up before it copies the first.
      bounded = end === "stopped" || hasFailures || worklist.unproven < unprovenBefore;
    }
    if (!last) return undefined;
    return {
      includes,
      records: total,
      isPiece: which.isPiece,
      proved: worklist.unproven < before,
      result: earlier.mergeInto(last.result),
    };
  }

  /** Starts rclone once over the records to do, or over as many as throttling lets it; undefined when there are none. */
  async #startOnce(
    isToDo: (index: number) => boolean,
    which: PartOfPass,
    mayBeBounded: boolean,
  ): Promise<EndedStart | undefined> {
    const { progress, records, throttle, stop, log } = this.#parts;
    const { limitMs, objectsMax } = throttle.begin();
    const bounds = mayBeBounded ? { limitMs, objectsMax } : { limitMs: undefined, objectsMax: undefined };
    const last = lastOfFirst(records.count, isToDo, bounds.objectsMax);
    const objects = await this.#writeKeys((index) => index <= last.index && isToDo(index), which.pass);
    if (stop.aborted || objects === 0) return undefined;
    progress.startPass(which.pass);
    const retire = new AbortController();
    let loweredTo: number | undefined;
    const watch = setInterval(() => {
      loweredTo ??= throttle.lowerTo();
      if (loweredTo !== undefined && !retire.signal.aborted) retire.abort();
    }, throttleTickMs);
    const result = await this.#rclone(which, { objects, limitMs: bounds.limitMs, retire: retire.signal })
      .catch((error: unknown) => {
        if (error instanceof XferError) return error;
        throw error;
      })
      .finally(() => clearInterval(watch));
    const cutOff = bounds.limitMs !== undefined && wasCutOff(result);
    // rclone counts the end of its time as an error, which it is not.
    if (cutOff) progress.forgive(1);
    const said = throttle.end({ loweredTo, cutOff });
    if (said !== undefined) log.say(said);
    // Where a step is lost, the next start could wait for it without end.
    if (lostStep({ result })) return { result, end: "by-itself" };
    if (loweredTo !== undefined) return { result, end: "stopped" };
    return { result, end: cutOff || (last.isCut && wentThrough(result)) ? "bounded" : "by-itself" };
  }

  /** Writes the keys for one start of rclone, and returns how many they are. */
  async #writeKeys(isToDo: (index: number) => boolean, pass: number): Promise<number> {
    const { records, layout, log } = this.#parts;
    const keys = new AtomicFile(layout.keys);
    const { objects, bytes } = await records.writeKeys(keys, isToDo).catch((error: unknown) => {
      keys.abort();
      throw error;
    });
    // Not durable: a later attempt writes its own.
    keys.commit({ durable: false });
    if (objects > 0) log.say(`pass ${pass}: ${formatObjects(objects)}, ${formatBytes(bytes)}`);
    return objects;
  }

  async #rclone(
    which: PartOfPass,
    bounds: { objects: number; limitMs: number | undefined; retire: AbortSignal },
  ): Promise<RcloneResult> {
    const { setup, layout, log, task, records, progress, throttle, hindrances, ledger } = this.#parts;
    const { config, flags } = setup;
    makeDestination(setup);
    const { argv, env, plan, silence } = copyCommand(setup, {
      ...which,
      ...bounds,
      keys: layout.keys,
      largestBytes: records.largestBytes,
      transfers: throttle.transfers,
      lowered: throttle.lowered,
    });
    progress.plan = plan.reason;
    log.say(`plan: ${plan.reason}: ${quoteWords(argv)}`);
    using _asker = new HindranceAsker(hindrances, this.#parts.askPlace);
    try {
      const result = await runRclone({
        argv,
        env: stepEnvironment(config.runtime, env),
        log,
        logsDebug: flags.argv.some((word) => /^(?:-v+|--verbose(?:=.*)?)$/.test(word)),
        stop: this.#parts.stop,
        known: { configPath: config.rclone_config ?? undefined },
        retire: bounds.retire,
        silence,
        terminate: config.runtime === "pyxis" && task ? () => terminateSteps(task) : undefined,
        onStart: (child) => ledger.noteChild(identifyProcess(child.pid) ?? null),
        ...this.#listeners(),
      });
      this.spoke ||= result.spoke;
      log.say(`pass ${which.pass} ended: exit code ${result.exit.code}`);
      return result;
    } finally {
      ledger.noteChild(null);
    }
  }

  /** Hands what rclone's log says to the parts of the attempt that it is about. */
  #listeners() {
    const { records, worklist, progress, throttle, hindrances, ledger } = this.#parts;
    return {
      onFirstWord: () => throttle.spoke(),
      onProven: (key, proof) => {
        const index = records.indexOf(key);
        if (index === -1) return;
        throttle.proven(key, records.sizeOf(index));
        if (worklist.isToDo(index)) worklist.prove(index, proof);
      },
      onStats: (stats) => {
        progress.stats(stats);
        hindrances.stats(stats, Date.now());
        throttle.stats(stats);
        if (this.#copyTime.note(stats, performance.now())) ledger.noteCopying();
      },
      onRetry: (message, object) => {
        hindrances.retry(message, Date.now());
        throttle.retried(message, object);
      },
    } satisfies Partial<RcloneOptions>;
  }
}

/** Makes the folders of a destination on this host: no container starts with a mount of a folder that is not there. */
function makeDestination({ destEnds, config: { dest_root, runtime } }: CopySetup): void {
  const isPath = parseRoot(dest_root).form === "posix";
  for (const path of isPath || runtime !== "host" ? destEnds.paths : []) {
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      // A union may have upstreams that are only for reading.
      if (isPath) throw operationFailed(`the destination ${path} cannot be made: ${messageOf(error)}`);
    }
  }
}
