import { appendFileSync } from "node:fs";
import type { ProgressState } from "../lib/run/state/progress.ts";
import type { Sample } from "../lib/run/state/samples.ts";
import { readTextIfExists, replaceFile } from "../lib/system/durable.ts";
import { messageOf } from "../lib/system/errors.ts";
import { spacingOf, thinned } from "./decide/samples.ts";

/** How far apart two lines are, until the file is thinned for the first time. */
const spacingMs = 60_000;
/** At so many lines the file is thinned. A line has some 130 bytes. */
const linesMax = 1_000;

/**
 * Appends to a shard's .samples how the shard stands, a line a minute, the first at the start of an attempt and one at its
 * end. At so many lines every second one is dropped, and from then on the lines are twice as far apart: a shard that is
 * copied for weeks has some hundred kilobytes of them. Samples are for people: what keeps them from being written is said
 * once, and ends no attempt.
 */
export class Samples {
  readonly #path: string;
  readonly #spacingMs: number;
  readonly #linesMax: number;
  readonly #onProblem: (message: string) => void;
  /** The lines of the file as it is; undefined before the first sample of the attempt. */
  #lines: string[] | undefined;
  /** Whether the file ends within a line: its writer was killed. */
  #isTorn = false;
  #betweenMs = 0;
  #nextAtMs = 0;
  #hasFailed = false;

  constructor(
    path: string,
    options: { onProblem: (message: string) => void; spacingMs?: number; linesMax?: number },
  ) {
    this.#path = path;
    this.#onProblem = options.onProblem;
    this.#spacingMs = options.spacingMs ?? spacingMs;
    this.#linesMax = options.linesMax ?? linesMax;
  }

  /** Appends a line where one is due, and at the end of the attempt. */
  note(progress: ProgressState, transfers: number, isLast: boolean): void {
    const atMs = Date.parse(progress.updated_at);
    if (this.#hasFailed || (!isLast && atMs < this.#nextAtMs)) return;
    try {
      this.#append(JSON.stringify(sampleOf(progress, transfers)));
    } catch (error) {
      this.#hasFailed = true;
      this.#onProblem(`no more samples are kept: ${messageOf(error)}`);
    }
    this.#nextAtMs = atMs + this.#betweenMs;
  }

  #append(line: string): void {
    this.#lines ??= this.#read();
    this.#lines.push(line);
    if (this.#lines.length >= this.#linesMax) {
      this.#lines = thinned(this.#lines);
      this.#betweenMs *= 2;
      replaceFile(this.#path, `${this.#lines.join("\n")}\n`);
    } else appendFileSync(this.#path, `${this.#isTorn ? "\n" : ""}${line}\n`);
    this.#isTorn = false;
  }

  #read(): string[] {
    const text = readTextIfExists(this.#path) ?? "";
    this.#isTorn = text !== "" && !text.endsWith("\n");
    const lines = text.split("\n").filter((line) => line !== "");
    this.#betweenMs = spacingOf(lines, this.#spacingMs);
    return lines;
  }
}

function sampleOf(progress: ProgressState, transfers: number): Sample {
  return {
    at: progress.updated_at,
    attempt: progress.attempt,
    objects: progress.objects_done,
    bytes: progress.bytes_done + progress.bytes_in_flight,
    errors: progress.errors,
    throttled: progress.throttled,
    transfers,
  };
}
