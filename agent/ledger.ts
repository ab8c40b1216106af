import type { FailureClass } from "../lib/rclone/failure-class.ts";
import { oneLine } from "../lib/rclone/telling.ts";
import type { Journal } from "../lib/run/journal.ts";
import type { ShardLayout } from "../lib/run/layout.ts";
import type { Roots } from "../lib/run/roots.ts";
import type { AttemptState, StopCause } from "../lib/run/state/attempt.ts";
import type { DoneState } from "../lib/run/state/done.ts";
import { readFail, writeFail } from "../lib/run/state/fail.ts";
import { writeState } from "../lib/run/state/state-file.ts";
import type { ShardRecords } from "../lib/shard/records.ts";
import { removeIfExists } from "../lib/system/durable.ts";
import { stopReason } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { ownIdentity, ownTable, type ProcessIdentity } from "../lib/system/process-identity.ts";
import { formatBytes, formatObjects } from "../lib/system/units.ts";
import type { AttemptResult } from "./attempt-result.ts";
import { afterFailedAttempt } from "./decide/failed-attempt.ts";
import type { StartCounters } from "./decide/start.ts";
import type { ShardLog } from "./shard-log.ts";

/** How a shard stands when its agent leaves it. */
export type ShardOutcome =
  | { kind: "done" | "failed" | "stopped" }
  /** Worth another attempt: off `badNodes`, and after a wait if it was throttled. */
  | { kind: "retry"; badNodes: readonly string[]; throttled: boolean; spent: number };

/** The most object errors that a .fail holds. */
const failErrorsMax = 1_000;

/** The shard that a ledger is about, and the limits of its attempts. */
export interface LedgerOptions {
  shard: number;
  submission: string;
  node: string;
  maxAttempts: number;
  /** Says how many nodes Slurm may be asked to keep the shard off. */
  avoidableNodes: () => Promise<number>;
  stop: AbortSignal;
  layout: ShardLayout;
  records: ShardRecords;
  journal: Journal;
  sha256: string;
  roots: Roots;
}

type FailedResult = Extract<AttemptResult, { kind: "failed" }>;

/** An object that is not proven, as .fail names it. */
interface ObjectError {
  path: string;
  size: number;
  class: FailureClass;
  message: string;
}

/** Writes the state files of one shard's attempt. Each file is whole under its name, and the outcome is written last. */
export class ShardLedger {
  readonly #shard: LedgerOptions;
  #state: AttemptState | undefined;

  constructor(shard: LedgerOptions) {
    this.#shard = shard;
  }

  /** Writes .attempt for an attempt that begins. */
  begin(start: { attempt: number; counters: StartCounters }): void {
    const { layout, journal, sha256, node, shard, submission } = this.#shard;
    this.#write({
      schema: "xfer.attempt.v1",
      shard,
      sha256,
      attempt: start.attempt,
      submission,
      ...start.counters,
      outcome: "running",
      stopped_by: null,
      proven_at_start: journal.proofs.count,
      got_to_copy: false,
      node,
      ...ownTable(),
      agent: ownIdentity(),
      child: null,
      started_at: new Date().toISOString(),
    });
    // An earlier attempt's outcome is out of date. A .done that is still there is of another digest.
    removeIfExists(layout.fail);
    removeIfExists(layout.done);
  }

  /** Notes the leader of rclone's process group, or null when it has gone. */
  noteChild(child: ProcessIdentity | null): void {
    if (this.#state) this.#write({ ...this.#state, child });
  }

  /** Notes that the attempt has had its chance to prove an object. May be called again and again. */
  noteCopying(): void {
    if (this.#state && this.#state.got_to_copy !== true) this.#write({ ...this.#state, got_to_copy: true });
  }

  /** Notes the meaning of a stop, once Slurm has been asked for it. */
  noteStop(cause: StopCause): void {
    if (this.#state && this.#state.stopped_by !== cause) this.#write({ ...this.#state, stopped_by: cause });
  }

  #write(state: AttemptState): void {
    writeState<AttemptState>(this.#shard.layout.attempt, state);
    this.#state = state;
  }

  /** Writes the outcome of an attempt, and returns how the shard stands. */
  async end(result: AttemptResult, shardLog: ShardLog): Promise<ShardOutcome> {
    const state = this.#state;
    if (!state) throw new Error("an attempt ended that had not begun");
    removeIfExists(this.#shard.layout.keys);
    if (result.kind === "stopped") return this.#endStopped(state);
    if (result.kind === "failed") return this.#endFailed(result, state, shardLog);
    return this.#endDone(state);
  }

  #endStopped(state: AttemptState): ShardOutcome {
    const { shard, records, journal, stop } = this.#shard;
    const reason = stopReason(stop);
    const known = { SIGUSR1: "walltime", paused: "pause" } as const;
    const cause = reason === "SIGUSR1" || reason === "paused" ? known[reason] : "other";
    this.#write({ ...state, outcome: "stopped", stopped_by: cause });
    log.warn(
      `shard ${shard}: attempt ${state.attempt}: ${reason === "paused" ? "" : "stopped by "}${reason}: ` +
        `${journal.proofs.count} of ${formatObjects(records.count)} proven`,
    );
    return { kind: "stopped" };
  }

  #endDone(state: AttemptState): ShardOutcome {
    const { shard, layout, records, journal, node, roots } = this.#shard;
    if (journal.proofs.count !== records.count) throw new Error("a shard that is not proven cannot be done");
    const proven = this.#provenBytes();
    writeState<DoneState>(layout.done, {
      schema: "xfer.done.v1",
      shard,
      sha256: state.sha256,
      records: records.count,
      bytes: records.bytes,
      copied: proven.copied,
      copied_bytes: proven.copiedBytes,
      source_root: roots.source_root,
      dest_root: roots.dest_root,
      attempt: state.attempt,
      node,
      finished_at: new Date().toISOString(),
    });
    this.#write({ ...state, outcome: "done" });
    const unchanged = records.count - proven.copied;
    const also = unchanged > 0 ? `; ${formatObjects(unchanged)} unchanged` : "";
    const copied = `${formatObjects(proven.copied)}, ${formatBytes(proven.copiedBytes)} copied${also}`;
    log.success(`shard ${shard}: attempt ${state.attempt}: done: ${copied}`);
    return { kind: "done" };
  }

  async #endFailed(result: FailedResult, state: AttemptState, shardLog: ShardLog): Promise<ShardOutcome> {
    const { shard, node, maxAttempts } = this.#shard;
    const { errors, telling } = await this.#nameUnproven(result, shardLog);
    const { class: failure, final: isFinal, neverStarted } = result;
    const avoidableNodes = failure === "container" && neverStarted ? await this.#shard.avoidableNodes() : 0;
    const { outcome, badNodes, spent, final } = afterFailedAttempt({
      ...{ failure, isFinal, neverStarted, node, maxAttempts, avoidableNodes },
      badNodes: state.bad_nodes,
      spent: state.spent,
    });
    const why = telling ?? errors[0]?.message ?? "no reason is known";
    const message = oneLine(`${formatObjects(result.unproven.length)} not proven: ${why}`);
    this.#fail({ class: failure, final, message, exitCode: result.exitCode, attempt: state.attempt }, errors);
    this.#write({ ...state, outcome, bad_nodes: [...badNodes], transfers: result.transfers });
    const elsewhere = outcome === "bad-node";
    const next = elsewhere ? `, will be tried off ${badNodes.join(", ")}` : ", will be tried again";
    log.error(
      `shard ${shard}: attempt ${state.attempt}: failed (${failure}${final ? "" : next}): ${message}; log: ${shardLog.path}`,
    );
    if (final) return { kind: "failed" };
    const throttled = failure === "throttled";
    return { kind: "retry", badNodes: elsewhere ? badNodes : [], throttled, spent };
  }

  /**
   * Names every record that is not proven in the shard's log, and as many as .fail holds in `errors`. `telling` is the
   * message of the first record whose class is the attempt's own.
   */
  async #nameUnproven(
    result: FailedResult,
    shardLog: ShardLog,
  ): Promise<{ errors: ObjectError[]; telling: string | undefined }> {
    const { records } = this.#shard;
    const byIndex = new Map(result.unproven.map((record) => [record.index, record]));
    const errors: ObjectError[] = [];
    let telling: string | undefined;
    await records.eachWhere(
      (index) => byIndex.has(index),
      ({ index, key }) => {
        const record = byIndex.get(index);
        if (!record) return;
        shardLog.note("error", `not proven: ${record.class}: ${record.message}`, key);
        if (record.class === result.class) telling ??= oneLine(record.message);
        if (errors.length >= failErrorsMax) return;
        const message = oneLine(record.message);
        errors.push({ path: key, size: records.sizeOf(index), class: record.class, message });
      },
    );
    return { errors, telling };
  }

  /** Ends a shard whose attempts are spent without starting another. */
  refuse(start: { attempt: number; spent: number }): ShardOutcome {
    const { shard, layout, maxAttempts } = this.#shard;
    const message = `${start.spent} of ${maxAttempts} attempts are spent: submit again for more`;
    // The .fail of the last attempt says more than this. If there is none, the attempt ended without writing one.
    if (readFail(layout.fail).kind !== "value") {
      const what = { class: "unknown" as const, final: true, exitCode: null, attempt: start.attempt };
      this.#fail({ ...what, message: `the agent was killed: ${message}` }, []);
    }
    log.error(`shard ${shard}: ${message}`);
    return { kind: "failed" };
  }

  #fail(
    what: { class: FailureClass; final: boolean; message: string; exitCode: number | null; attempt: number },
    errors: ObjectError[],
  ): void {
    const { shard, layout, records, journal, sha256, node } = this.#shard;
    const proven = { records: journal.proofs.count, ...this.#provenBytes() };
    writeFail(
      layout.fail,
      { shard, sha256, records: records.count, bytes: records.bytes, node, proven },
      { ...what, errors },
    );
  }

  #provenBytes(): { bytes: number; copied: number; copiedBytes: number } {
    const { records, journal } = this.#shard;
    const sum = { bytes: 0, copied: 0, copiedBytes: 0 };
    for (let index = 0; index < records.count; index++) {
      const proof = journal.proofs.get(index);
      const size = records.sizeOf(index);
      if (proof) sum.bytes += size;
      if (proof === "copied") {
        sum.copied++;
        sum.copiedBytes += size;
      }
    }
    return sum;
  }
}
