import { classifyMessage, type FailureClass } from "../lib/rclone/failure-class.ts";
import { XferError } from "../lib/system/errors.ts";
import type { PassResult } from "./pass.ts";

/** A record that no pass could prove, and why. */
export interface UnprovenRecord {
  place: number;
  class: FailureClass;
  message: string;
  /** Whether rclone ended well without a word of it. */
  unmentioned?: boolean;
}

/** One run of rclone in a pass. */
export interface PassRun {
  mayBeThere: boolean;
  /** Whether it proved anything. */
  proved: boolean;
  result: PassResult | XferError;
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
 * | fell silent | container |
 * | ended otherwise | that of its most telling message, but never missing: it is about another object |
 */
export function explainUnproven(
  place: number,
  key: string,
  { result, proved }: PassRun,
  classOf: (message: string) => FailureClass,
): UnprovenRecord {
  if (result instanceof XferError) return { place, class: classOf(result.message), message: result.message };
  const message = result.objectErrors.get(key);
  if (message !== undefined) return { place, class: classOf(message), message };
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
    };
  }
  if (result.fellSilent) {
    return { place, class: "container", message: "rclone fell silent: its step or container is gone" };
  }
  const said = result.error ?? `rclone ended with exit code ${result.exit.code}`;
  const failure = classOf(said);
  return { place, class: failure === "missing" ? "unknown" : failure, message: `not reached: ${said}` };
}

/** The class of a failure to bring data onto stable storage, which is the destination's and may pass. */
export function unsettledClass(message: string): FailureClass {
  return classifyMessage(message) === "destination-full" ? "destination-full" : "unknown";
}
