import { canPass } from "../lib/rclone/failure-class.ts";
import type { Cause } from "../lib/rclone/telling.ts";
import type { UserFlags } from "../lib/rclone/user-flags.ts";
import type { ShardRecords } from "../lib/shard/records.ts";
import type { XferError } from "../lib/system/errors.ts";
import type { PassResult } from "./rclone-run.ts";
import type { Throttle } from "./throttle.ts";

/** One of the runs of rclone that count as one: stopped for refusals, through with what bounded it, or with all. */
export interface OneRun {
  result: PassResult | XferError;
  end: "stopped" | "bounded" | "by-itself";
}

/** Whether the time was up that a run was given: newer versions have an exit code for that, 1.60 says it last. */
export function wasCutOff(result: PassResult | XferError): boolean {
  if (!("objectErrors" in result)) return false;
  return result.exit.code === 10 || /max transfer duration reached/.test(result.error?.message ?? "");
}

/** Whether a run went through all that it was given: it ended by itself, well or with a word on what failed. */
export function wentThrough(result: PassResult | XferError): boolean {
  if (!("objectErrors" in result) || result.hang !== undefined) return false;
  return result.exit.code === 0 || (result.exit.code < 128 && result.objectErrors.size > 0);
}

/** https://rclone.org/docs/#checkers-int */
const checkersDefault = 8;

/**
 * Flags that bound a run of rclone while the store throttles: as many checkers fewer as transfers, and no new transfer
 * after `limitMs`. What is under way then is ended: nothing is lost.
 */
export function throttleFlags(
  flags: UserFlags,
  { transfers, lowered }: Pick<Throttle, "transfers" | "lowered">,
  limitMs: number | undefined,
): string[] {
  if (lowered === null) return [];
  const checkers = Number(flags.given.get("checkers") ?? checkersDefault) || checkersDefault;
  const fewer = Math.max(1, Math.ceil((checkers * transfers) / flags.transfers));
  const bounds = limitMs === undefined ? [] : ["--max-duration", `${limitMs}ms`, "--cutoff-mode", "soft"];
  return ["--checkers", String(fewer), ...bounds];
}

/** The S3 library in rclone repeats this often without a word. */
const repeatsInSilence = 2;
/** Larger objects are not moved again for a few requests of theirs that were refused. */
const smallBytes = 64 * 1024 * 1024;

/**
 * Flags that let throttling be seen, whichever requests are refused: rclone's S3 library repeats a GET, a COPY or a part of
 * an upload as often as --low-level-retries says before rclone hears of it, so that the first pass over small objects has
 * few. What fails for that is copied by the next pass, which has the user's.
 */
export function candidFlags(
  given: ReadonlyMap<string, string>,
  run: { pass: number; passes: number; largestBytes: number; usesS3: boolean },
): string[] {
  const { pass, passes, largestBytes, usesS3 } = run;
  const hasFewer = Number(given.get("low-level-retries")) <= repeatsInSilence;
  const isFirstOfMany = pass === 1 && passes > 1;
  if (!usesS3 || !isFirstOfMany || largestBytes > smallBytes || hasFewer) return [];
  return ["--low-level-retries", String(repeatsInSilence)];
}

/** How many places there are of which `includes` says so. */
export function countPlaces(count: number, includes: (place: number) => boolean): number {
  let found = 0;
  for (let place = 0; place < count; place++) if (includes(place)) found++;
  return found;
}

/** The last place of the first `max` of those for which `isToDo` says so, and whether others come after it. */
export function lastPlaceOf(
  count: number,
  isToDo: (place: number) => boolean,
  max: number | undefined,
): { place: number; isCut: boolean } {
  if (max === undefined) return { place: count, isCut: false };
  let left = max;
  let last = count;
  for (let place = 0; place < count; place++) {
    if (!isToDo(place)) continue;
    if (left === 0) return { place: last, isCut: true };
    last = place;
    left--;
  }
  return { place: count, isCut: false };
}

/** What the runs of rclone said that came before the last one. */
export class EndedRuns {
  readonly #records: ShardRecords;
  readonly #causeOf: (message: string) => Cause;
  readonly #failed = new Set<number>();
  readonly #errors = new Map<string, string>();
  #spoke = false;

  constructor(records: ShardRecords, causeOf: (message: string) => Cause) {
    this.#records = records;
    this.#causeOf = causeOf;
  }

  /** Whether a record has had its chance in this pass, and failed. */
  hasFailed(place: number): boolean {
    return this.#failed.has(place);
  }

  /**
   * Takes what a run said of objects that failed; of one that was stopped, only what no other run can mend. Gives whether
   * there were any.
   */
  add({ objectErrors, spoke }: PassResult, end: OneRun["end"]): boolean {
    const before = this.#failed.size;
    this.#spoke ||= spoke;
    for (const [object, message] of objectErrors) {
      if (end === "stopped" && canPass(this.#causeOf(message).class)) continue;
      const place = this.#placeOf(object);
      if (place === -1) continue;
      this.#failed.add(place);
      this.#errors.set(object, message);
    }
    return this.#failed.size > before;
  }

  /** The place of an object, or of that whose part file it is. */
  #placeOf(object: string): number {
    const place = this.#records.placeOf(object);
    if (place !== -1) return place;
    return this.#records.placeOf(object.replace(/\.[0-9a-f]{8}\.partial$/, ""));
  }

  /** The result of the last run, with what those before it said. */
  mergeInto(last: PassResult | XferError): PassResult | XferError {
    if (!("objectErrors" in last)) return last;
    return {
      ...last,
      spoke: last.spoke || this.#spoke,
      objectErrors: new Map([...this.#errors, ...last.objectErrors]),
    };
  }
}
