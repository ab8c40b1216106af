import { mkdirSync } from "node:fs";
import { copyArgv } from "../lib/rclone/argv.ts";
import { type CopyPlan, copyPlan } from "../lib/rclone/copy-plan.ts";
import type { LocalEnds } from "../lib/rclone/local-ends.ts";
import { parseRoot } from "../lib/rclone/remote-options.ts";
import type { RootKind, serverSide } from "../lib/rclone/root.ts";
import { stepEnvironment } from "../lib/rclone/runtime.ts";
import { stepCommand } from "../lib/rclone/step.ts";
import type { UserFlags } from "../lib/rclone/user-flags.ts";
import { type RunConfig, reachOf } from "../lib/run/config.ts";
import type { Journal, Proof } from "../lib/run/journal.ts";
import type { ShardLayout } from "../lib/run/layout.ts";
import type { ShardRecords } from "../lib/shard/records.ts";
import type { ArrayTask } from "../lib/slurm/array-task.ts";
import { terminateSteps } from "../lib/slurm/scancel.ts";
import { AtomicFile } from "../lib/system/durable.ts";
import { messageOf, operationFailed, XferError } from "../lib/system/errors.ts";
import { identifyProcess, type ProcessIdentity } from "../lib/system/process-identity.ts";
import { quoteWords } from "../lib/system/shell-words.ts";
import { formatBytes, formatObjects } from "../lib/system/units.ts";
import { CopyTime } from "./copy-time.ts";
import { silenceLimitsOf } from "./decide/silence.ts";
import { type AskPlace, HindranceAsker, type Hindrances } from "./hindrance.ts";
import type { Progress } from "./progress.ts";
import { fellSilent, type PassResult, type PassRun, runPass } from "./rclone-run.ts";
import type { ShardLog } from "./shard-log.ts";
import type { Throttle } from "./throttle.ts";
import {
  candidFlags,
  countPlaces,
  EndedRuns,
  lastPlaceOf,
  type OneRun,
  throttleFlags,
  wasCutOff,
  wentThrough,
} from "./throttled-runs.ts";
import type { Worklist } from "./worklist.ts";

/** Seconds between rclone's lines of statistics. An orphaned rclone dies at the first that nobody reads (SIGPIPE). */
const statsSeconds = 2;

/** How often rclone is looked at beside what it says: its pacer may keep it silent for two seconds. */
const throttleTickMs = 250;

/** What the two ends of a copy are, and whether a server copies between them. */
export interface PlaceKinds {
  source: RootKind;
  dest: RootKind;
  serverSide: ReturnType<typeof serverSide>;
  /** The size from which the server copies in parts, where it is said. */
  serverCopyCutoffBytes: number | undefined;
}

/** What the copying of an attempt works with; see AttemptOptions for the first of them. */
interface CopyParts {
  task: ArrayTask | undefined;
  config: RunConfig;
  layout: ShardLayout;
  records: ShardRecords;
  journal: Journal;
  log: ShardLog;
  flags: UserFlags;
  destEnds: LocalEnds;
  onChild: (child: ProcessIdentity | null) => void;
  onCopying: () => void;
  kinds: PlaceKinds;
  /** Aborted by the caller's stop, or when the state cannot be kept any more. */
  stop: AbortSignal;
  progress: Progress;
  hindrances: Hindrances;
  ask: AskPlace | undefined;
  worklist: Worklist;
  throttle: Throttle;
  proveAt: (place: number, proof: Proof) => void;
  note: (message: string) => void;
}

/** Which run of rclone in a pass it is, and what it is told beside the keys. */
interface WhichPass {
  pass: number;
  mayBeThere: boolean;
  isPiece: boolean;
  version: readonly [number, number] | undefined;
}

/** Makes the paths of a destination: no container starts with a mount of what is not there. */
function makeEnds({ paths }: LocalEnds, { dest_root, runtime }: RunConfig): void {
  const isPath = parseRoot(dest_root).form === "posix";
  for (const path of isPath || runtime !== "host" ? paths : []) {
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      // Of several upstreams one may be for reading only.
      if (isPath) throw operationFailed(`the destination ${path} cannot be made: ${messageOf(error)}`);
    }
  }
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
   * Runs rclone over the records of a group, or a piece of it; undefined when none of them is to do. While the store
   * throttles, that takes several runs of rclone, which count as one.
   */
  async run(includes: (place: number) => boolean, which: WhichPass): Promise<PassRun | undefined> {
    const { journal, records, stop } = this.#parts;
    const before = journal.proofs.count;
    const total = countPlaces(records.count, includes);
    const ended = new EndedRuns(records, this.#parts.worklist.causeOf);
    let last: OneRun | undefined;
    let bounded = true;
    for (;;) {
      const provenBefore = journal.proofs.count;
      const one = await this.#runOnce((place) => includes(place) && !ended.hasFailed(place), which, bounded);
      if (!one) break;
      last = one;
      const { result, end } = one;
      if (result instanceof XferError || stop.aborted || end === "by-itself") break;
      const hasFailures = ended.add(result, end);
      // A run in which no object came to an end had too little time: look-ups come before all copies.
      bounded = end === "stopped" || hasFailures || journal.proofs.count > provenBefore;
    }
    if (!last) return undefined;
    return {
      includes,
      records: total,
      isPiece: which.isPiece,
      proved: journal.proofs.count > before,
      result: ended.mergeInto(last.result),
    };
  }

  /** Runs rclone once over what is to do, or as much of it as throttling lets it; undefined when that is nothing. */
  async #runOnce(
    isToDo: (place: number) => boolean,
    which: WhichPass,
    mayBeBounded: boolean,
  ): Promise<OneRun | undefined> {
    const { progress, records, throttle, stop, note } = this.#parts;
    const { limitMs, objectsMax } = throttle.begin();
    const bounds = mayBeBounded ? { limitMs, objectsMax } : { limitMs: undefined, objectsMax: undefined };
    const end = lastPlaceOf(records.count, isToDo, bounds.objectsMax);
    const objects = await this.#writeKeys((place) => place <= end.place && isToDo(place), which.pass);
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
    // What ends a run for its time is no error of the copy.
    if (cutOff) progress.forgive(1);
    const said = throttle.end({ loweredTo, cutOff });
    if (said !== undefined) note(said);
    // Where a step is lost, the next run could wait for it without end.
    if (fellSilent({ result })) return { result, end: "by-itself" };
    if (loweredTo !== undefined) return { result, end: "stopped" };
    return { result, end: cutOff || (end.isCut && wentThrough(result)) ? "bounded" : "by-itself" };
  }

  /** Writes the keys of a run of rclone, and says how many they are. */
  async #writeKeys(isToDo: (place: number) => boolean, pass: number): Promise<number> {
    const { records, layout, note } = this.#parts;
    const keys = new AtomicFile(layout.keys);
    const { objects, bytes } = await records.writeKeys(keys, isToDo).catch((error: unknown) => {
      keys.abort();
      throw error;
    });
    // A later attempt writes its own.
    keys.commit({ durable: false });
    if (objects > 0) note(`pass ${pass}: ${formatObjects(objects)}, ${formatBytes(bytes)}`);
    return objects;
  }

  async #rclone(
    { pass, mayBeThere, version }: WhichPass,
    run: { objects: number; limitMs: number | undefined; retire: AbortSignal },
  ): Promise<PassResult> {
    const { config, layout, log, task, records, progress, flags, kinds, note, throttle } = this.#parts;
    const { hindrances } = this.#parts;
    const plan = this.#plan(mayBeThere, version);
    progress.plan = plan.reason;
    const env = { ...plan.variables, ...process.env };
    makeEnds(this.#parts.destEnds, config);
    const argv = stepCommand(reachOf(config), {
      argv: ({ configPath, keys }) =>
        copyArgv({
          sourceRoot: config.source_root,
          destRoot: config.dest_root,
          filesFrom: keys,
          configPath,
          planFlags: plan.flags,
          transfers: throttle.transfers,
          userFlags: flags.argv,
          throttleFlags: [
            ...throttleFlags(flags, throttle, run.limitMs),
            ...candidFlags(flags.given, {
              pass,
              passes: flags.passes,
              largestBytes: records.largestBytes,
              usesS3: kinds.source === "s3" || kinds.dest === "s3",
            }),
          ],
          statsSeconds,
        }),
      readOnly: [config.source_root],
      writable: [config.dest_root],
      keys: layout.keys,
      cpus: config.cpus_per_task,
      env,
    });
    note(`plan: ${plan.reason}: ${quoteWords(argv)}`);
    using _asker = new HindranceAsker(hindrances, this.#parts.ask);
    try {
      const result = await runPass({
        argv,
        env: stepEnvironment(config.runtime, env),
        log,
        logsDebug: flags.argv.some((word) => /^(?:-v+|--verbose(?:=.*)?)$/.test(word)),
        stop: this.#parts.stop,
        known: { configPath: config.rclone_config ?? undefined },
        retire: run.retire,
        silence: silenceLimitsOf(
          { records: run.objects, largestBytes: records.largestBytes, ...kinds },
          [...plan.flags, ...flags.argv],
          process.env,
        ),
        terminate: config.runtime === "pyxis" && task ? () => terminateSteps(task) : undefined,
        onFirstWord: () => throttle.spoke(),
        onStart: (child) => this.#parts.onChild(identifyProcess(child.pid) ?? null),
        onProven: (key, proof) => {
          const place = records.placeOf(key);
          if (place === -1) return;
          throttle.proven(key, records.sizeOf(place));
          if (this.#parts.worklist.isToDo(place)) this.#parts.proveAt(place, proof);
        },
        onStats: (stats) => {
          progress.stats(stats);
          hindrances.stats(stats, Date.now());
          throttle.stats(stats);
          if (this.#copyTime.note(stats, performance.now())) this.#parts.onCopying();
        },
        onRetry: (message, object) => {
          hindrances.retry(message, Date.now());
          throttle.retried(message, object);
        },
      });
      this.spoke ||= result.spoke;
      note(`pass ${pass} ended: exit code ${result.exit.code}`);
      return result;
    } finally {
      this.#parts.onChild(null);
    }
  }

  #plan(mayBeThere: boolean, version: readonly [number, number] | undefined): CopyPlan {
    const { config, records, flags, kinds } = this.#parts;
    const said = flags.given.get("metadata");
    return copyPlan({
      ...kinds,
      largestBytes: records.largestBytes,
      version,
      multiThreadCutoffBytes: flags.multiThreadCutoffBytes,
      comparesDestination: flags.comparesDestination,
      mayBeThere,
      metadata: config.metadata,
      metadataSaid: said === undefined ? undefined : said === "true",
      serverCopyCutoffBytes: kinds.serverCopyCutoffBytes,
    });
  }
}
