import type { Outcome } from "./comparison.ts";

/** What is compared to tell whether an object at the destination has changed. */
export const compareModes = ["size", "checksum", "mtime"] as const;

export type CompareMode = (typeof compareModes)[number];

/** The verdict of a delta on a record. */
export interface Verdict {
  verdict: "new" | "changed" | "same";
  /** Whether it counts as changed only because a hash or a time is missing on one side. */
  notComparable: boolean;
}

/**
 * The verdict of a delta on a record:
 *
 * | compare  | same when the sizes are equal, and |
 * |----------|-----------------------------------|
 * | size     | (nothing more: content that was replaced by as many bytes goes unseen) |
 * | checksum | both MD5 hashes are known and equal |
 * | mtime    | both times are known, and the destination's is not before the manifest's, to the second |
 *
 * An object that cannot be compared counts as changed: it is copied again rather than taken for the same.
 */
export function deltaVerdict({ relation, age }: Outcome, compare: CompareMode): Verdict {
  const verdict = (name: Verdict["verdict"], notComparable = false) => ({ verdict: name, notComparable });
  if (relation === "missing") return verdict("new");
  if (relation === "size-differs") return verdict("changed");
  if (compare === "size") return verdict("same");
  if (compare === "mtime") {
    return age === "not-older" ? verdict("same") : verdict("changed", age === "unknown");
  }
  return relation === "hash-equal" ? verdict("same") : verdict("changed", relation === "size-equal");
}
