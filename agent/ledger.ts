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
import type { AttemptResult } from "./attempt.ts";
import { afterFailedAttempt } from "./decide/failed-attempt.ts";
import type { StartCounters } from "./decide/start.ts";
import type { ShardLog } from "./shard-log.ts";

/** How a shard stands when its agent leaves it. */
export type ShardOutcome =
  | { kind: "done" | "failed" | "stopped" }
  /** It can pass and has attempts left; on other nodes than these, after a wait when it was throttled. */
  | { kind: "retry"; badNodes: readonly string[]; throttled: boolean; spent: number };

/** The most object errors that a .fail holds. */
const failErrorsMax = 1_000;

/** What a ledger writes about. */
export interface LedgerOptions {
  shard: number;
  submission: string;
  node: string;
  maxAttempts: number;
  /** How many nodes Slurm may be asked to keep the shard off. */
  avoidableNodes: () => Promise<number>;
  stop: AbortSignal;
  layout: ShardLayout;
  records: ShardRecords;
  journal: Journal;
  sha256: string;
  roots: Roots;
}

type FailedResult = Extract<AttemptResult, { kind: "failed" }>;

/** Writes what is known of one shard's attempt; each file is whole under its name, and the outcome comes last. */
export class ShardLedger {
  readonly #shard: LedgerOptions;
  #state: AttemptState | undefined;

  constructor(shard: LedgerOptions) {
    this.#shard = shard;
  }

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
    // What an earlier attempt said is out of date; a .done that is there is of another digest.
    removeIfExists(layout.fail);
    removeIfExists(layout.done);
  }

  noteChild(child: ProcessIdentity | null): void {
    if (this.#state) this.#write({ ...this.#state, child });
  }

  /** Notes that objects were under way for long enough to prove one. */
  noteCopying(): void {
    if (this.#state && this.#state.got_to_copy !== true) this.#write({ ...this.#state, got_to_copy: true });
  }

  /** Notes what a stop meant, once Slurm has been asked. */
  noteStop(cause: StopCause): void {
    if (this.#state && this.#state.stopped_by !== cause) this.#write({ ...this.#state, stopped_by: cause });
  }

  #write(state: AttemptState): void {
    writeState<AttemptState>(this.#shard.layout.attempt, state);
    this.#state = state;
  }

  /** Writes the outcome of an attempt, and says how the shard stands. */
  async end(result: AttemptResult, shardLog: ShardLog): Promise<ShardOutcome> {
    const { shard, layout, records, journal, node, stop } = this.#shard;
    const state = this.#state;
    if (!state) throw new Error("an attempt ended that had not begun");
    removeIfExists(layout.keys);
    const name = `shard ${shard}: attempt ${state.attempt}`;
    if (result.kind === "stopped") {
      const reason = stopReason(stop);
      this.#write({ ...state, outcome: "stopped", stopped_by: reason === "SIGUSR1" ? "walltime" : "other" });
      log.warn(
        `${name}: stopped by ${reason}: ${journal.proofs.count} of ${formatObjects(records.count)} proven`,
      );
      return { kind: "stopped" };
    }
    if (result.kind === "failed") return this.#endFailed(result, state, shardLog);
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
      source_root: this.#shard.roots.source_root,
      dest_root: this.#shard.roots.dest_root,
      attempt: state.attempt,
      node,
      finished_at: new Date().toISOString(),
    });
    this.#write({ ...state, outcome: "done" });
    const unchanged = records.count - proven.copied;
    const also = unchanged > 0 ? `; ${formatObjects(unchanged)} unchanged` : "";
    log.success(
      `${name}: done: ${formatObjects(proven.copied)}, ${formatBytes(proven.copiedBytes)} copied${also}`,
    );
    return { kind: "done" };
  }

  async #endFailed(result: FailedResult, state: AttemptState, shardLog: ShardLog): Promise<ShardOutcome> {
    const { shard, records, node, maxAttempts } = this.#shard;
    // The headline is of the class that decides, wherever its first object stands.
    let telling: string | undefined;
    const byPlace = new Map(result.unproven.map((record) => [record.place, record]));
    const errors: { path: string; size: number; class: FailureClass; message: string }[] = [];
    await records.eachWhere(
      (place) => byPlace.has(place),
      ({ place, key }) => {
        const record = byPlace.get(place);
        if (!record) return;
        shardLog.note("error", `not proven: ${record.class}: ${record.message}`, key);
        if (record.class === result.class) telling ??= oneLine(record.message);
        if (errors.length >= failErrorsMax) return;
        const message = oneLine(record.message);
        errors.push({ path: key, size: records.sizeOf(place), class: record.class, message });
      },
    );
    const { class: failure, final: isFinal, neverStarted } = result;
    const facts = {
      failure,
      isFinal,
      neverStarted,
      node,
      badNodes: state.bad_nodes,
      spent: state.spent,
      maxAttempts,
    };
    const avoidableNodes = failure === "container" && neverStarted ? await this.#shard.avoidableNodes() : 0;
    const { outcome, badNodes, spent, final } = afterFailedAttempt({ ...facts, avoidableNodes });
    const elsewhere = outcome === "bad-node";
    const why = telling ?? errors[0]?.message ?? "no reason is known";
    const message = oneLine(`${formatObjects(result.unproven.length)} not proven: ${why}`);
    this.#fail({ class: failure, final, message, exitCode: result.exitCode, attempt: state.attempt }, errors);
    this.#write({ ...state, outcome, bad_nodes: [...badNodes], transfers: result.transfers });
    const after = elsewhere
      ? `, will be tried off ${badNodes.join(", ")}`
      : final
        ? ""
        : ", will be tried again";
    log.error(
      `shard ${shard}: attempt ${state.attempt}: failed (${failure}${after}): ${message}; log: ${shardLog.path}`,
    );
    if (final) return { kind: "failed" };
    return {
      kind: "retry",
      badNodes: elsewhere ? badNodes : [],
      throttled: failure === "throttled",
      spent,
    };
  }

  /** Ends a shard whose attempts are spent without starting another. */
  refuse(start: { attempt: number; spent: number }): ShardOutcome {
    const { shard, layout, maxAttempts } = this.#shard;
    const message = `${start.spent} of ${maxAttempts} attempts are spent: submit again for more`;
    // A .fail of the last attempt says more than this; without one, the attempt ended without a word.
    if (readFail(layout.fail).kind !== "value") {
      const what = { class: "unknown" as const, final: true, exitCode: null, attempt: start.attempt };
      this.#fail({ ...what, message: `the agent was killed: ${message}` }, []);
    }
    log.error(`shard ${shard}: ${message}`);
    return { kind: "failed" };
  }

  #fail(
    what: { class: FailureClass; final: boolean; message: string; exitCode: number | null; attempt: number },
    errors: { path: string; size: number; class: FailureClass; message: string }[],
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
    for (let place = 0; place < records.count; place++) {
      const proof = journal.proofs.get(place);
      const size = records.sizeOf(place);
      if (proof) sum.bytes += size;
      if (proof === "copied") {
        sum.copied++;
        sum.copiedBytes += size;
      }
    }
    return sum;
  }
}
