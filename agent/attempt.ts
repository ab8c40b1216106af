import type { OnHindrance } from "../lib/listing/listing-watch.ts";
import { untransferableReason } from "../lib/rclone/addressable.ts";
import { bucketOf } from "../lib/rclone/bucket.ts";
import type { FailureClass } from "../lib/rclone/failure-class.ts";
import { storePlace } from "../lib/rclone/hindrance.ts";
import { isLocal, type LocalEnds, plainPath } from "../lib/rclone/local-ends.ts";
import type { RemoteContext } from "../lib/rclone/remote-options.ts";
import { copyCutoffOf, rootKind, serverSide } from "../lib/rclone/root.ts";
import type { Cause } from "../lib/rclone/telling.ts";
import { notShownText, refusedVariables, type UserFlags } from "../lib/rclone/user-flags.ts";
import type { RunConfig } from "../lib/run/config.ts";
import type { Journal, Proof } from "../lib/run/journal.ts";
import type { ShardLayout } from "../lib/run/layout.ts";
import type { ShardRecords } from "../lib/shard/records.ts";
import type { ArrayTask } from "../lib/slurm/array-task.ts";
import { XferError } from "../lib/system/errors.ts";
import { sleep } from "../lib/system/interrupt.ts";
import type { ProcessIdentity } from "../lib/system/process-identity.ts";
import { formatObjects } from "../lib/system/units.ts";
import { CopyPass, type PlaceKinds } from "./copy-pass.ts";
import { type CutMemory, runWithCuts } from "./cut-pass.ts";
import { decideAfterPass } from "./decide/after-pass.ts";
import { type UnprovenRecord, unsettledClass } from "./decide/unproven.ts";
import type { Look } from "./destination.ts";
import { readLook } from "./first-look.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type AskPlace, Hindrances } from "./hindrance.ts";
import type { ShardLock } from "./lock.ts";
import { Progress } from "./progress.ts";
import { fellSilent, type PassRun } from "./rclone-run.ts";
import { Settler } from "./settler.ts";
import type { ShardLog } from "./shard-log.ts";
import { leaveOutUnreadable } from "./source-check.ts";
import { Throttle } from "./throttle.ts";
import { Worklist } from "./worklist.ts";

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
  lock: ShardLock;
  log: ShardLog;
  stop: AbortSignal;
  /** Says what the destination held before this run. */
  examine: (stop: AbortSignal, onHindrance: OnHindrance) => Promise<Look>;
  /** Says why a place does not answer. */
  ask: AskPlace | undefined;
  /** The user's flags for rclone. */
  flags: UserFlags;
  /** What decides how rclone reaches the roots. */
  context: RemoteContext;
  /** Where the destination is on this host. */
  destEnds: LocalEnds;
  /** What throttling has brought --transfers down to in earlier attempts. */
  transfers: number | null;
  /** Called with the leader of each rclone process group, and with null when it has gone. */
  onChild: (child: ProcessIdentity | null) => void;
  /** Called, perhaps again and again, once the attempt has had its chance to prove something. */
  onCopying: () => void;
}

/** How an attempt ended. */
export type AttemptResult =
  | { kind: "done" }
  | { kind: "stopped" }
  | {
      kind: "failed";
      class: FailureClass;
      /** Whether only the user cures it. */
      final: boolean;
      exitCode: number | null;
      unproven: UnprovenRecord[];
      /** --transfers for the next attempt, when throttling has lowered it. */
      transfers: number | null;
      /** Whether the container did not start, so that rclone never ran. */
      neverStarted: boolean;
    };

/**
 * One attempt at a shard: pass after pass of rclone over the records that the journal does not prove, until all are
 * proven, nothing more can be, the passes are spent, or `stop` is aborted.
 */
export async function runAttempt(options: AttemptOptions): Promise<AttemptResult> {
  return new Attempt(options).run();
}

class Attempt {
  readonly #options: AttemptOptions;
  readonly #flags: UserFlags;
  readonly #kinds: PlaceKinds;
  readonly #copy: CopyPass;
  readonly #progress: Progress;
  readonly #hindrances: Hindrances;
  readonly #heartbeat: Heartbeat;
  readonly #settler: Settler | undefined;
  /** Aborted by the caller's stop, or when the state cannot be kept any more. */
  readonly #stop: AbortSignal;
  #version: readonly [number, number] | undefined;
  readonly #throttle: Throttle;
  readonly #worklist: Worklist;
  readonly #cuts: CutMemory = { aborted: false, isGeneral: false };
  /** Where the source is on this host, when it is a path. */
  readonly #sourcePath: string | undefined;

  constructor(options: AttemptOptions) {
    const { config, layout, records, journal, log, context, destEnds } = options;
    this.#options = options;
    this.#worklist = new Worklist(records, journal);
    this.#sourcePath = plainPath(config.source_root, context);
    this.#flags = options.flags;
    const { transfers: wanted } = this.#flags;
    this.#throttle = new Throttle({ wanted, transfers: Math.min(wanted, options.transfers ?? wanted) });
    this.#kinds = {
      source: rootKind(config.source_root, context.remotes, context.env),
      dest: rootKind(config.dest_root, context.remotes, context.env),
      serverSide: serverSide(config.source_root, config.dest_root, context),
      serverCopyCutoffBytes: copyCutoffOf(config.dest_root, context),
    };
    this.#hindrances = new Hindrances(
      { source: storePlace(config.source_root, context), destination: storePlace(config.dest_root, context) },
      Date.now(),
    );
    this.#progress = new Progress(layout.progress, {
      shard: options.shard,
      sha256: options.sha256,
      attempt: options.attempt,
      node: options.node,
      records: records.count,
      bytes: records.bytes,
    });
    this.#countProven();
    this.#settler = isLocal(destEnds) ? new Settler(destEnds, journal) : undefined;
    this.#heartbeat = new Heartbeat({
      journal,
      log,
      lock: options.lock,
      writeProgress: () =>
        this.#progress.write(new Date(), this.#throttle, this.#hindrances.state(Date.now())),
    });
    this.#stop = AbortSignal.any([options.stop, this.#heartbeat.signal]);
    this.#copy = new CopyPass({
      ...options,
      kinds: this.#kinds,
      stop: this.#stop,
      progress: this.#progress,
      hindrances: this.#hindrances,
      worklist: this.#worklist,
      throttle: this.#throttle,
      proveAt: (place, proof) => this.#proveAt(place, proof),
      note: (message) => this.#note(message),
    });
  }

  async run(): Promise<AttemptResult> {
    try {
      for (const [name, reason] of refusedVariables(process.env)) {
        this.#note(`${name} is kept from rclone: ${reason}`);
      }
      const { comparesFor, notShown } = this.#flags;
      const left = notShownText("rclone_flags", notShown);
      if (left) this.#note(left);
      if (comparesFor.length > 0) this.#note(`the destination is compared for ${comparesFor.join(", ")}`);
      const hindrance = await this.#lookAtDestination();
      if (hindrance) return hindrance;
      for (let pass = 1; ; pass++) {
        const results = await this.#pass(pass);
        this.#heartbeat.check();
        const unsettled = await this.#settler?.settle(this.#options.stop);
        if (unsettled !== undefined) return this.#failUnsettled(unsettled);
        if (this.#options.stop.aborted) return { kind: "stopped" };
        const last = results.at(-1);
        const {
          records: unproven,
          settled,
          unmentioned,
          failure,
          final,
        } = await this.#worklist.explain(results);
        const throttled = unproven.filter((record) => record.class === "throttled").length;
        this.#throttle.endPass(throttled);
        const { passes, passWaitSeconds } = this.#flags;
        // Another pass on this node could wait for a step that Slurm still counts as running.
        const lostStep = results.some(fellSilent);
        const next = decideAfterPass({
          pass,
          passes: lostStep ? pass : passes,
          passWaitSeconds,
          unproven: unproven.length,
          settled,
          unmentioned,
          failure,
        });
        if (next.kind === "done") return { kind: "done" };
        // A whole pass is a chance too, however soon it ended.
        this.#options.onCopying();
        if (next.kind === "fail") {
          return {
            kind: "failed",
            class: failure,
            final,
            exitCode: last === undefined || last.result instanceof XferError ? null : last.result.exit.code,
            unproven,
            transfers: this.#throttle.lowered,
            neverStarted: !this.#copy.spoke,
          };
        }
        const left = unproven.length - settled;
        this.#note(
          `${formatObjects(left)} not proven (${failure}): pass ${pass + 1} in ${next.waitSeconds}s`,
        );
        const why = unproven.find((record) => record.class === failure)?.message ?? failure;
        await this.#wait(next.waitSeconds, { class: failure, message: why });
        this.#heartbeat.check();
        if (this.#options.stop.aborted) return { kind: "stopped" };
      }
    } finally {
      const throttled = this.#throttle.summary();
      if (throttled !== undefined) this.#note(throttled);
      this.#settler?.end();
      this.#heartbeat.end();
    }
  }

  #countProven(): void {
    const { records, journal } = this.#options;
    this.#progress.startCount();
    for (let place = 0; place < records.count; place++) {
      const proof = journal.proofs.get(place);
      if (proof) this.#progress.proven(records.sizeOf(place), proof);
    }
  }

  /** What was copied since it was last settled is proven no more. */
  #failUnsettled(message: string): AttemptResult {
    this.#options.log.note("error", message);
    this.#countProven();
    return this.#failAll({ class: unsettledClass(message), message, final: false }, false);
  }

  /** The attempt has failed with all that is not proven, for one reason. */
  #failAll(cause: Cause, neverStarted: boolean): AttemptResult {
    const { records, journal } = this.#options;
    const { class: failure, message, final } = cause;
    const unproven: UnprovenRecord[] = [];
    for (let place = 0; place < records.count; place++) {
      if (!journal.proofs.get(place)) unproven.push({ place, class: failure, message, final });
    }
    return {
      kind: "failed",
      class: failure,
      final,
      exitCode: null,
      unproven,
      transfers: this.#throttle.lowered,
      neverStarted,
    };
  }

  #note(message: string): void {
    this.#options.log.note("info", message);
    this.#options.log.flush();
  }

  /**
   * Before the first copy: what the destination holds already need not be copied. A look that fails is repeated as a pass
   * is; the attempt fails with it, or stops, when there is a result. A user's flag that compares makes rclone look: then only
   * the bucket is looked for.
   */
  async #lookAtDestination(): Promise<AttemptResult | undefined> {
    const { records, journal, examine } = this.#options;
    const unproven = records.count - journal.proofs.count;
    if (unproven === 0) return undefined;
    const { comparesDestination } = this.#flags;
    if (comparesDestination && !this.#needsBucket()) {
      await this.#leaveOutUntransferable();
      return undefined;
    }
    for (let pass = 1; ; pass++) {
      const look = await examine(this.#stop, (hindrance) => this.#hindrances.look(hindrance, Date.now()));
      this.#heartbeat.check();
      if (look.kind === "stopped") return { kind: "stopped" };
      if (look.kind === "seen") {
        this.#version = look.destination.version ?? undefined;
        await this.#leaveOutUntransferable();
        if (!comparesDestination) this.#take(look);
        return undefined;
      }
      this.#options.log.note("error", look.message);
      const { passes, passWaitSeconds } = this.#flags;
      const facts = {
        pass,
        passes,
        passWaitSeconds,
        unproven,
        settled: 0,
        unmentioned: 0,
        failure: look.class,
      };
      const next = decideAfterPass(facts);
      if (next.kind !== "pass") return this.#failAll(look, !this.#copy.spoke);
      this.#note(`looking again in ${next.waitSeconds}s (${look.class})`);
      await this.#wait(next.waitSeconds, { class: look.class, message: look.message, side: "destination" });
    }
  }

  /** Whether the destination lies in a bucket, or in what may be one and is to be created. */
  #needsBucket(): boolean {
    const { config, context } = this.#options;
    return (
      bucketOf(config.dest_root, context) !== undefined ||
      (config.create_bucket && this.#kinds.dest !== "posix")
    );
  }

  /** Waits for the next pass, and lets .progress say why. */
  async #wait(seconds: number, why: Parameters<Hindrances["wait"]>[0]): Promise<void> {
    const now = Date.now();
    if (seconds > 0) this.#hindrances.wait(why, now, now + seconds * 1000);
    await sleep(seconds * 1000, this.#stop);
  }

  /**
   * Leaves out what this rclone does not carry as it is, whatever its log or a listing would say of it: manifests can come
   * from other writers, or from a listing by another rclone.
   */
  async #leaveOutUntransferable(): Promise<void> {
    const { source, dest } = this.#kinds;
    const facts = { source, dest, version: this.#version };
    const found: UnprovenRecord[] = [];
    await this.#options.records.eachWhere(
      (place) => this.#worklist.isToDo(place),
      ({ place, key }) => {
        const message = untransferableReason(key, facts);
        if (message !== undefined) found.push({ place, class: "untransferable", message, own: true });
      },
    );
    for (const record of found) this.#worklist.leaveOut(record);
    if (found.length > 0)
      this.#note(`${formatObjects(found.length)} cannot be carried: ${found[0]?.message}`);
  }

  /** Takes what the look found for done, or for what rclone has to compare. */
  #take({ destination, findings }: Extract<Look, { kind: "seen" }>): void {
    const { records } = this.#options;
    const isProven = (place: number) => !this.#worklist.isToDo(place);
    const look = readLook(destination, findings, { records: records.count, isProven });
    for (const place of look.identical) this.#proveAt(place, "unchanged");
    this.#worklist.mayBeThere = look.mayBeThere;
    if (look.summary !== undefined) this.#note(look.summary);
  }

  #proveAt(place: number, proof: Proof): void {
    const { records, journal } = this.#options;
    if (!journal.add(place, proof)) return;
    this.#progress.proven(records.sizeOf(place), proof);
    this.#hindrances.proven(Date.now());
  }

  /** Runs rclone over what is to do: once for what is not at the destination, once for what may be. */
  async #pass(pass: number): Promise<PassRun[]> {
    const { journal, records } = this.#options;
    const worklist = this.#worklist;
    const runs: PassRun[] = [];
    worklist.startPass();
    await leaveOutUnreadable({
      root: this.#sourcePath,
      records,
      worklist,
      stop: this.#stop,
      note: (message) => this.#note(message),
    });
    for (const mayBeThere of worklist.mayBeThere ? [false, true] : [false]) {
      // Where a step is lost, another could wait for it without end.
      if (this.#stop.aborted || runs.some(fellSilent)) break;
      const made = await runWithCuts({
        worklist,
        count: records.count,
        group: worklist.ofGroup(mayBeThere),
        run: (includes, isPiece) =>
          this.#copy.run(includes, {
            pass,
            mayBeThere,
            isPiece,
            version: this.#version,
          }),
        memory: this.#cuts,
        isLastPass: pass >= this.#flags.passes,
        stop: this.#stop,
        note: (message) => this.#note(message),
      });
      runs.push(...made);
      journal.sync();
    }
    return runs;
  }
}
