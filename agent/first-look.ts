import type { Destination } from "../lib/run/state/destination.ts";
import { findings } from "../lib/run/state/findings.ts";

/** What follows from the look at the destination for the records of one shard that are not proven. */
export interface FirstLook {
  /** Records that the listing proves: same size, same MD5. */
  identical: number[];
  /** Records that rclone has to compare: 1; undefined where nothing was at the destination. */
  mayBeThere: Uint8Array | undefined;
  /** What was found, for the log. */
  summary: string | undefined;
}

/**
 * Reads the look for one shard:
 *
 * | found | a record that is not proven |
 * |---|---|
 * | nothing at the destination | is copied, and the destination is not asked |
 * | each record's finding | is proven, compared by rclone, or copied, as it says |
 * | far more than the run has | is compared by rclone |
 */
export function readLook(
  { found, listed }: Destination,
  ofRecords: Uint8Array | undefined,
  shard: { records: number; isProven: (place: number) => boolean },
): FirstLook {
  if (found === "nothing") return { identical: [], mayBeThere: undefined, summary: undefined };
  const mayBeThere = new Uint8Array(shard.records);
  if (!ofRecords) {
    const summary = "the destination holds far more than the run: every object is compared";
    return { identical: [], mayBeThere: mayBeThere.fill(1), summary };
  }
  const identical: number[] = [];
  let compared = 0;
  for (let place = 0; place < shard.records; place++) {
    if (shard.isProven(place)) continue;
    if (ofRecords[place] === findings.identical) identical.push(place);
    if (ofRecords[place] !== findings.maybeThere) continue;
    mayBeThere[place] = 1;
    compared++;
  }
  const counts = `${identical.length} identical, ${compared} to compare`;
  return { identical, mayBeThere, summary: `the destination was listed (${listed} entries): ${counts}` };
}
