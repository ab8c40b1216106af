import type { RcloneStats } from "../lib/rclone/log.ts";
import type { Proof } from "../lib/run/journal.ts";
import type { HindranceState, ProgressState } from "../lib/run/state/progress.ts";
import { replaceFile } from "../lib/system/durable.ts";
import type { Throttle } from "./throttle.ts";
import type { Worklist } from "./worklist.ts";

/** The fields of .progress that stay the same during an attempt. */
export interface ProgressHead {
  shard: number;
  sha256: string;
  attempt: number;
  node: string;
  records: number;
  bytes: number;
}

/** Counts the objects and bytes of an attempt, and writes them as the shard's .progress. */
export class Progress {
  readonly #path: string;
  readonly #head: ProgressHead;
  #pass = 0;
  #objects = 0;
  #bytes = 0;
  #unchanged = 0;
  #unchangedBytes = 0;
  #bytesBeforePass = 0;
  #errorsBeforePass = 0;
  #stats: RcloneStats | undefined;
  /** The reason of the copy plan in use. */
  plan = "";

  constructor(path: string, head: ProgressHead) {
    this.#path = path;
    this.#head = head;
  }

  startPass(pass: number): void {
    this.#errorsBeforePass += this.#stats?.errors ?? 0;
    this.#pass = pass;
    this.#bytesBeforePass = this.#bytes;
    this.#stats = undefined;
  }

  /** Counts the proven records anew. */
  count(worklist: Pick<Worklist, "forEachProven">): void {
    this.#objects = 0;
    this.#bytes = 0;
    this.#unchanged = 0;
    this.#unchangedBytes = 0;
    worklist.forEachProven((size, proof) => this.proven(size, proof));
  }

  proven(size: number, proof: Proof): void {
    this.#objects++;
    this.#bytes += size;
    if (proof === "copied") return;
    this.#unchanged++;
    this.#unchangedBytes += size;
  }

  /** Takes back a number of the errors that rclone has counted. */
  forgive(errors: number): void {
    this.#errorsBeforePass -= errors;
  }

  stats(stats: RcloneStats): void {
    this.#stats = stats;
  }

  /** Replaces the .progress file, and returns what it says. */
  write(
    now: Date,
    throttle: Pick<Throttle, "refused" | "lowered" | "facts">,
    hindrance: HindranceState | null = null,
  ): ProgressState {
    const inFlight = Math.max(0, (this.#stats?.bytes ?? 0) - (this.#bytes - this.#bytesBeforePass));
    const speed = this.#stats?.speed ?? 0;
    const left = this.#head.bytes - this.#bytes - inFlight;
    const state: ProgressState = {
      schema: "xfer.progress.v1",
      shard: this.#head.shard,
      sha256: this.#head.sha256,
      attempt: this.#head.attempt,
      pass: this.#pass,
      node: this.#head.node,
      records: this.#head.records,
      bytes: this.#head.bytes,
      objects_done: this.#objects,
      bytes_done: this.#bytes,
      objects_unchanged: this.#unchanged,
      bytes_unchanged: this.#unchangedBytes,
      bytes_in_flight: inFlight,
      bytes_per_second: Math.round(speed),
      eta_seconds: speed > 0 ? Math.max(0, Math.round(left / speed)) : null,
      errors: Math.max(0, this.#errorsBeforePass + (this.#stats?.errors ?? 0)),
      throttled: throttle.refused,
      throttling: throttle.facts() ?? null,
      transfers: throttle.lowered,
      hindrance,
      plan: this.plan,
      updated_at: now.toISOString(),
    };
    replaceFile(this.#path, `${JSON.stringify(state)}\n`);
    return state;
  }
}
