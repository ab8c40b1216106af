import type { Destination } from "../../lib/run/state/destination.ts";
import { findings } from "../../lib/run/state/findings.ts";

/** The look at the destination, read for the records of one shard that are not proven. */
export interface FirstLook {
  /** The indices of records that the listing proves: same size, same MD5. */
  identical: number[];
  /** Holds 1 for each record that rclone has to compare; undefined where nothing was at the destination. */
  mayBeThere: Uint8Array | undefined;
  /** A line for the log; undefined where nothing was found. */
  summary: string | undefined;
}

/**
 * Reads the look for one shard:
 *
 * | found | a record that is not proven |
 * |---|---|
 * | nothing at the destination | is copied, and the destination is not asked |
 * | a finding for each record | is proven, compared by rclone, or copied, as its finding says |
 * | far more than the run has | is compared by rclone |
 */
export function readLook(
  { found, listed }: Destination,
  ofRecords: Uint8Array | undefined,
  shard: { records: number; isProven: (index: number) => boolean },
): FirstLook {
  if (found === "nothing") return { identical: [], mayBeThere: undefined, summary: undefined };
  const mayBeThere = new Uint8Array(shard.records);
  if (!ofRecords) {
    const summary = "the destination holds far more than the run: every object is compared";
    return { identical: [], mayBeThere: mayBeThere.fill(1), summary };
  }
  const identical: number[] = [];
  let compared = 0;
  for (let index = 0; index < shard.records; index++) {
    if (shard.isProven(index)) continue;
    if (ofRecords[index] === findings.identical) identical.push(index);
    if (ofRecords[index] !== findings.maybeThere) continue;
    mayBeThere[index] = 1;
    compared++;
  }
  const counts = `${identical.length} identical, ${compared} to compare`;
  return { identical, mayBeThere, summary: `the destination was listed (${listed} entries): ${counts}` };
}
