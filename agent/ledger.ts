import { hostname } from "node:os";
import type { FailureClass } from "../lib/rclone/failure-class.ts";
import type { Journal } from "../lib/run/journal.ts";
import type { ShardLayout } from "../lib/run/layout.ts";
import { type AttemptState, type FailState, readFail, writeState } from "../lib/run/state.ts";
import { removeIfAny } from "../lib/system/durable.ts";
import { stopReason } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { identifyProcess, type ProcessIdentity } from "../lib/system/process.ts";
import { formatBytes, formatObjects } from "../lib/system/units.ts";
import type { AttemptResult } from "./attempt.ts";
import { isFinalFailure } from "./decide.ts";
import type { ShardLog } from "./shard-log.ts";
import type { ShardRecords } from "./shard-records.ts";

/** How a shard stands when its agent leaves it: "retry" can pass and has attempts left. */
export type ShardOutcome = "done" | "retry" | "failed" | "stopped";

/** The most object errors that a .fail holds. */
const failErrorsMax = 1_000;

/** What a ledger writes about. */
export interface LedgerOptions {
  shard: number;
  submission: string;
  node: string;
  maxAttempts: number;
  stop: AbortSignal;
  layout: ShardLayout;
  records: ShardRecords;
  journal: Journal;
  sha256: string;
}

/** Writes what is known of one shard's attempt; each file is whole under its name, and the outcome comes last. */
export class ShardLedger {
  readonly #shard: LedgerOptions;
  #state: AttemptState | undefined;

  constructor(shard: LedgerOptions) {
    this.#shard = shard;
  }

  begin(start: { attempt: number; spent: number; stops: number }): void {
    const { layout, journal, sha256, node } = this.#shard;
    this.#write({
      schema: "xfer.attempt.v1",
      shard: this.#shard.shard,
      sha256,
      attempt: start.attempt,
      submission: this.#shard.submission,
      spent: start.spent,
      stops: start.stops,
      outcome: "running",
      proven_at_start: journal.proofs.count,
      node,
      host: hostname(),
      agent: identifyProcess(process.pid) ?? { pid: process.pid, start: "" },
      child: null,
      started_at: new Date().toISOString(),
    });
    // What an earlier attempt said is out of date; a .done that is there is of another digest.
    removeIfAny(layout.fail);
    removeIfAny(layout.done);
  }

  noteChild(child: ProcessIdentity | null): void {
    if (this.#state) this.#write({ ...this.#state, child });
  }

  #write(state: AttemptState): void {
    writeState(this.#shard.layout.attempt, state);
    this.#state = state;
  }

  /** Writes the outcome of an attempt, and says how the shard stands. */
  end(result: AttemptResult, shardLog: ShardLog): ShardOutcome {
    const { shard, layout, records, journal, node, maxAttempts } = this.#shard;
    const state = this.#state;
    if (!state) throw new Error("an attempt ended that had not begun");
    removeIfAny(layout.keys);
    const proven = this.#provenBytes();
    const name = `shard ${shard}: attempt ${state.attempt}`;
    if (result.kind === "stopped") {
      this.#write({ ...state, outcome: "stopped" });
      log.warn(
        `${name}: stopped by ${stopReason(this.#shard.stop)}: ${journal.proofs.count} of ${formatObjects(records.count)} proven`,
      );
      return "stopped";
    }
    if (result.kind === "done") {
      if (journal.proofs.count !== records.count)
        throw new Error("a shard that is not proven cannot be done");
      writeState(layout.done, {
        schema: "xfer.done.v1",
        shard: this.#shard.shard,
        sha256: state.sha256,
        records: records.count,
        bytes: records.bytes,
        copied: proven.copied,
        copied_bytes: proven.copiedBytes,
        attempt: state.attempt,
        node,
        finished_at: new Date().toISOString(),
      });
      this.#write({ ...state, outcome: "done" });
      log.success(`${name}: done: ${formatObjects(records.count)}, ${formatBytes(records.bytes)}`);
      return "done";
    }
    for (const record of result.unproven) {
      shardLog.note("error", `not proven: ${record.class}: ${record.message}`, records.paths[record.place]);
    }
    const final = isFinalFailure({
      failure: result.class,
      spent: state.spent + 1,
      maxAttempts,
    });
    const first = result.unproven[0];
    const message = `${formatObjects(result.unproven.length)} not proven: ${first?.message ?? "no reason is known"}`;
    this.#fail(
      { class: result.class, final, message, exitCode: result.exitCode, attempt: state.attempt },
      result,
    );
    this.#write({ ...state, outcome: "failed" });
    log.error(
      `${name}: failed (${result.class}${final ? "" : ", will be tried again"}): ${message}; log: ${shardLog.path}`,
    );
    return final ? "failed" : "retry";
  }

  /** Ends a shard whose attempts are spent without starting another. */
  refuse(start: { attempt: number; spent: number }): ShardOutcome {
    const { shard, layout, maxAttempts } = this.#shard;
    const message = `${start.spent} of ${maxAttempts} attempts are spent: submit again for more`;
    // A .fail of the last attempt says more than this; without one, the attempt ended without a word.
    if (readFail(layout.fail).kind !== "value") {
      const what = { class: "unknown" as const, final: true, exitCode: null, attempt: start.attempt };
      this.#fail({ ...what, message: `the agent was killed: ${message}` }, { unproven: [] });
    }
    log.error(`shard ${shard}: ${message}`);
    return "failed";
  }

  #fail(
    what: { class: FailureClass; final: boolean; message: string; exitCode: number | null; attempt: number },
    result: { unproven: Extract<AttemptResult, { kind: "failed" }>["unproven"] },
  ): void {
    const { layout, records, journal, sha256, node } = this.#shard;
    const proven = this.#provenBytes();
    const fail: FailState = {
      schema: "xfer.fail.v1",
      shard: this.#shard.shard,
      sha256,
      class: what.class,
      final: what.final,
      message: what.message,
      exit_code: what.exitCode,
      records: records.count,
      bytes: records.bytes,
      proven: journal.proofs.count,
      proven_bytes: proven.bytes,
      failed: records.count - journal.proofs.count,
      failed_bytes: records.bytes - proven.bytes,
      attempt: what.attempt,
      node,
      failed_at: new Date().toISOString(),
      errors: result.unproven.slice(0, failErrorsMax).map((record) => ({
        path: records.paths[record.place] ?? "",
        size: records.sizes[record.place] ?? 0,
        class: record.class,
        message: record.message.slice(0, 1_000),
      })),
    };
    writeState(layout.fail, fail);
  }

  #provenBytes(): { bytes: number; copied: number; copiedBytes: number } {
    const { records, journal } = this.#shard;
    const sum = { bytes: 0, copied: 0, copiedBytes: 0 };
    for (let place = 0; place < records.count; place++) {
      const proof = journal.proofs.get(place);
      const size = records.sizes[place] ?? 0;
      if (proof) sum.bytes += size;
      if (proof === "copied") {
        sum.copied++;
        sum.copiedBytes += size;
      }
    }
    return sum;
  }
}
