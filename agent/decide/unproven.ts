import { canPass, classifyMessage, type FailureClass } from "../../lib/rclone/failure-class.ts";
import type { Cause } from "../../lib/rclone/telling.ts";
import { XferError } from "../../lib/system/errors.ts";
import type { PassRun } from "../rclone-run.ts";

/** A record that no pass could prove, and why. */
export interface UnprovenRecord {
  place: number;
  class: FailureClass;
  message: string;
  /** Whether only the user cures it; where this is not said, its class tells. */
  final?: boolean;
  /** Whether the message is about this record, not about its whole pass. */
  own?: boolean;
  /** Whether rclone ended well without a word of it. */
  unmentioned?: boolean;
}

/** What rclone said of a key: under its name, or under that of the part file that it writes first. */
export function wordOn(key: string, errors: ReadonlyMap<string, string>): string | undefined {
  const own = errors.get(key);
  if (own !== undefined || errors.size === 0) return own;
  return partErrors(errors).get(key);
}

const partErrorsOf = new WeakMap<ReadonlyMap<string, string>, ReadonlyMap<string, string>>();

/** The messages about part files (NAME.1234abcd.partial) under the names of their objects. */
function partErrors(errors: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const known = partErrorsOf.get(errors);
  if (known) return known;
  const found = new Map<string, string>();
  for (const [object, message] of errors) {
    const name = /^(.+)\.[0-9a-f]{8}\.partial$/s.exec(object)?.[1];
    if (name !== undefined) found.set(name, message);
  }
  partErrorsOf.set(errors, found);
  return found;
}

/**
 * Why a record is not proven after a run of rclone:
 *
 * | rclone | class |
 * |---|---|
 * | could not be run | that of the error |
 * | spoke of the key | that of its last message |
 * | ended with 0, without a word of it, and proved nothing | missing: it was not found at the source |
 * | ended with 0, without a word of it, and proved others | unknown: `a/b` is passed over beside `a` |
 * | ended otherwise by itself, proved others, and spoke of others that failed, not of it | unknown: passed over too |
 * | fell silent | container |
 * | hung otherwise | unknown |
 * | ended otherwise, with this record alone | that of its most telling message, which is about it |
 * | ended otherwise, in a piece of a pass | unknown: it is about another object |
 * | ended otherwise, proved others, by what only the user cures | unknown: it is about another object |
 * | ended otherwise | that of its most telling message, but never missing: that is about another object |
 */
export function explainUnproven(
  place: number,
  key: string,
  run: PassRun,
  causeOf: (message: string) => Cause,
): UnprovenRecord {
  const { result, proved, isPiece } = run;
  if (result instanceof XferError) return { place, ...causeOf(result.message) };
  const word = wordOn(key, result.objectErrors);
  if (word !== undefined) return { place, ...causeOf(word), own: true };
  if (result.exit.code === 0) {
    if (proved) {
      return {
        place,
        class: "unknown",
        message: "rclone ended well without a word of it",
        unmentioned: true,
      };
    }
    return {
      place,
      class: "missing",
      message: "rclone ended well without copying it: not found at the source",
      own: true,
    };
  }
  if (result.hang === "silent") {
    return { place, class: "container", message: "rclone fell silent: its step or container is gone" };
  }
  const endedItself = result.hang === undefined && result.exit.code < 128;
  if (endedItself && proved && result.objectErrors.size > 0) {
    return {
      place,
      class: "unknown",
      message: "rclone said nothing of it, only of others",
      unmentioned: true,
    };
  }
  const isAlone = run.records === 1;
  const cause: Cause =
    result.hang === undefined
      ? (result.error ?? causeOf(`rclone ended with exit code ${result.exit.code}`))
      : unknown("rclone hung: its statistics went on, and it did nothing");
  if (isAlone) return { place, ...cause, own: true };
  const { class: failure, message: said, final } = cause;
  // What only the user cures did not keep others from being proven: it is about one that rclone does not name.
  const isAnothers = isPiece || failure === "missing" || failure === "path" || (proved && !canPass(failure));
  const message = `not reached: ${said}`;
  return isAnothers ? { place, class: "unknown", message } : { place, class: failure, message, final };
}

const unknown = (message: string): Cause => ({ class: "unknown", message, final: false });

/** Whether nothing but the user cures a record's failure. */
export function isFinal(record: Pick<UnprovenRecord, "class" | "final">): boolean {
  return record.final ?? !canPass(record.class);
}

/** Whether no pass of this attempt can prove a record: its own failure is of a kind that nothing but the user cures. */
export function isSettled(record: UnprovenRecord): boolean {
  return record.own === true && isFinal(record);
}

/** The class of a failure to bring data onto stable storage, which is the destination's and may pass. */
export function unsettledClass(message: string): FailureClass {
  return classifyMessage(message) === "destination-full" ? "destination-full" : "unknown";
}
