import type { Outcome } from "../compare/comparison.ts";
import { type ChecksumMode, isFailure, type Verdict } from "../compare/verify-rule.ts";
import type { ListedManifest, OutcomeRow } from "../compare/with-listing.ts";
import { writeWhole } from "../system/durable.ts";
import { failuresMax, type Verification, verdictCounters } from "./verification.ts";

/** The verdict on one object, and why it is no better. */
export type Judge = (
  outcome: Outcome,
  record: OutcomeRow,
  index: number,
) => { verdict: Verdict; reason: string };

/** How many objects got which verdict, and the first of those that fail the verification. */
export type Verdicts = Pick<
  Verification,
  "listed" | "hash_proven" | "size_only" | "missing" | "differs" | "failures"
>;

/** The verdicts on no object. */
function noVerdicts(): Verdicts {
  return {
    listed: { objects: 0, bytes: 0 },
    hash_proven: 0,
    size_only: 0,
    missing: 0,
    differs: 0,
    failures: [],
  };
}

/**
 * Asks for the verdict on every object of a compared manifest, counts it, and writes a line to `path` for each object that
 * no hash proves. The file appears whole or not at all; it is empty where `compared` is undefined.
 */
export function writeVerdicts(
  path: string,
  compared: ListedManifest<unknown> | undefined,
  checksum: ChecksumMode,
  judge: Judge,
): Promise<Verdicts> {
  return writeWhole(path, async (file) => {
    const found = noVerdicts();
    await compared?.forEachOutcome((outcome, record, index) => {
      const { verdict, reason } = judge(outcome, record, index);
      const { path: key, size } = record;
      found.listed.objects++;
      found.listed.bytes += size;
      found[verdictCounters[verdict]]++;
      if (isFailure(verdict, checksum) && found.failures.length < failuresMax) {
        found.failures.push({ path: key, verdict, reason });
      }
      if (verdict !== "hash-proven") {
        file.writeText(`${JSON.stringify({ path: key, size, verdict, reason })}\n`);
      }
    });
    return found;
  });
}
