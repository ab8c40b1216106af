import { isTransient } from "../lib/rclone/failure-class.ts";
import type { Cause } from "../lib/rclone/telling.ts";
import type { ShardRecords } from "../lib/shard/records.ts";
import type { XferError } from "../lib/system/errors.ts";
import type { RcloneResult } from "./rclone-run.ts";

/**
 * How one of the rclones ended that together copy a part of a pass: stopped because the store refused requests, through
 * with the time or the objects that bounded it, or by itself.
 */
export interface EndedStart {
  result: RcloneResult | XferError;
  end: "stopped" | "bounded" | "by-itself";
}

/** Whether rclone ended because its --max-duration was over. rclone 1.60 says it last, newer ones by an exit code. */
export function wasCutOff(result: RcloneResult | XferError): boolean {
  if (!("objectErrors" in result)) return false;
  return result.exit.code === 10 || /max transfer duration reached/.test(result.error?.message ?? "");
}

/** Whether rclone went through its whole list: it ended by itself, and named the objects that failed if any did. */
export function wentThrough(result: RcloneResult | XferError): boolean {
  if (!("objectErrors" in result) || result.hang !== undefined) return false;
  return result.exit.code === 0 || (result.exit.code < 128 && result.objectErrors.size > 0);
}

/** How many of the indices below `count` are included. */
export function countWhere(count: number, includes: (index: number) => boolean): number {
  let found = 0;
  for (let index = 0; index < count; index++) if (includes(index)) found++;
  return found;
}

/** The index of the last of the first `max` records to do, and whether others come after it. */
export function lastOfFirst(
  count: number,
  isToDo: (index: number) => boolean,
  max: number | undefined,
): { index: number; isCut: boolean } {
  if (max === undefined) return { index: count, isCut: false };
  let left = max;
  let last = count;
  for (let index = 0; index < count; index++) {
    if (!isToDo(index)) continue;
    if (left === 0) return { index: last, isCut: true };
    last = index;
    left--;
  }
  return { index: count, isCut: false };
}

/** The failures that the earlier rclones over a part reported, kept for the result of the last one. */
export class EarlierStarts {
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
  hasFailed(index: number): boolean {
    return this.#failed.has(index);
  }

  /**
   * Notes the objects that failed with an rclone, and returns whether there were any. Of an rclone that was stopped only
   * failures count that another start cannot mend.
   */
  add({ objectErrors, spoke }: RcloneResult, end: EndedStart["end"]): boolean {
    const before = this.#failed.size;
    this.#spoke ||= spoke;
    for (const [object, message] of objectErrors) {
      if (end === "stopped" && isTransient(this.#causeOf(message).class)) continue;
      const index = this.#indexOf(object);
      if (index === -1) continue;
      this.#failed.add(index);
      this.#errors.set(object, message);
    }
    return this.#failed.size > before;
  }

  /** The index of an object, or of the object that a part file belongs to. */
  #indexOf(object: string): number {
    const index = this.#records.indexOf(object);
    if (index !== -1) return index;
    return this.#records.indexOf(object.replace(/\.[0-9a-f]{8}\.partial$/, ""));
  }

  /** The result of the last rclone together with the failures of those before it. */
  mergeInto(last: RcloneResult | XferError): RcloneResult | XferError {
    if (!("objectErrors" in last)) return last;
    return {
      ...last,
      spoke: last.spoke || this.#spoke,
      objectErrors: new Map([...this.#errors, ...last.objectErrors]),
    };
  }
}
