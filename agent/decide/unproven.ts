import { classifyMessage, type FailureClass, isTransient } from "../../lib/rclone/failure-class.ts";
import type { Cause } from "../../lib/rclone/telling.ts";
import { XferError } from "../../lib/system/errors.ts";
import type { PassPart } from "../pass-part.ts";

/** A record that no pass could prove, and why. */
export interface UnprovenRecord {
  /** The record's index in its shard, from 0. */
  index: number;
  class: FailureClass;
  message: string;
  /** Whether only the user can cure the failure; when missing, the class tells. */
  final?: boolean;
  /** Whether the message is about this record, not about its whole pass. */
  own?: boolean;
  /** Whether rclone ended well without naming the record. */
  unmentioned?: boolean;
}

/** The message of rclone's about a key: under its name, or under the name of the part file that rclone writes first. */
export function wordOn(key: string, errors: ReadonlyMap<string, string>): string | undefined {
  const own = errors.get(key);
  if (own !== undefined || errors.size === 0) return own;
  return partErrors(errors).get(key);
}

const partErrorsOf = new WeakMap<ReadonlyMap<string, string>, ReadonlyMap<string, string>>();

/** The messages about part files (NAME.1234abcd.partial), by the names of their objects. */
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
 * Why a record of a part is not proven after rclone has ended:
 *
 * | rclone | class |
 * |---|---|
 * | could not be started | that of the error |
 * | named the record | that of its last message about it |
 * | ended with 0, did not name the record, and proved nothing | missing: the key was not found at the source |
 * | ended with 0, did not name the record, and proved others | unknown: rclone passes over `a/b` beside `a` |
 * | ended with an error of its own, proved others, and named only others that failed | unknown: passed over too |
 * | fell silent | container |
 * | hung otherwise | unknown |
 * | ended otherwise, with this record alone | that of its most telling message, which is about this record |
 * | ended otherwise, over a piece of a pass | unknown: the message is about another object |
 * | ended otherwise, proved others, by a failure that only the user cures | unknown: the message is about another object |
 * | ended otherwise | that of its most telling message, but never missing: that is about another object |
 */
export function explainUnproven(
  index: number,
  key: string,
  part: PassPart,
  causeOf: (message: string) => Cause,
): UnprovenRecord {
  const { result, proved, isPiece } = part;
  if (result instanceof XferError) return { index, ...causeOf(result.message) };
  const word = wordOn(key, result.objectErrors);
  if (word !== undefined) return { index, ...causeOf(word), own: true };
  if (result.exit.code === 0) {
    if (proved) {
      return {
        index,
        class: "unknown",
        message: "rclone ended well without a word of it",
        unmentioned: true,
      };
    }
    return {
      index,
      class: "missing",
      message: "rclone ended well without copying it: not found at the source",
      own: true,
    };
  }
  if (result.hang === "silent") {
    return { index, class: "container", message: "rclone fell silent: its step or container is gone" };
  }
  const endedItself = result.hang === undefined && result.exit.code < 128;
  if (endedItself && proved && result.objectErrors.size > 0) {
    return {
      index,
      class: "unknown",
      message: "rclone said nothing of it, only of others",
      unmentioned: true,
    };
  }
  const isAlone = part.records === 1;
  const cause: Cause =
    result.hang === undefined
      ? (result.error ?? causeOf(`rclone ended with exit code ${result.exit.code}`))
      : unknown("rclone hung: its statistics went on, and it did nothing");
  if (isAlone) return { index, ...cause, own: true };
  const { class: failure, message: said, final } = cause;
  // A failure that only the user cures, and that did not keep others from being proven, is about one unnamed record.
  const isAnothers =
    isPiece || failure === "missing" || failure === "path" || (proved && !isTransient(failure));
  const message = `not reached: ${said}`;
  return isAnothers ? { index, class: "unknown", message } : { index, class: failure, message, final };
}

const unknown = (message: string): Cause => ({ class: "unknown", message, final: false });

/** Whether only the user can cure a record's failure. */
export function isFinal(record: Pick<UnprovenRecord, "class" | "final">): boolean {
  return record.final ?? !isTransient(record.class);
}

/** Whether no pass of this attempt can prove a record, since only the user can cure its own failure. */
export function isSettled(record: UnprovenRecord): boolean {
  return record.own === true && isFinal(record);
}

/** The class of a failure to bring data onto stable storage. It is the destination's, and another attempt may cure it. */
export function unsettledClass(message: string): FailureClass {
  return classifyMessage(message) === "destination-full" ? "destination-full" : "unknown";
}
