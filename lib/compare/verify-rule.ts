import type { Outcome } from "./comparison.ts";

/** The verdicts of a verification on an object, from the best to the worst. */
export const verdicts = ["hash-proven", "size-only", "differs", "missing"] as const;

export type Verdict = (typeof verdicts)[number];

/** What to do with hashes: compare them where both sides have one, require one of every object, or ignore them. */
export const checksumModes = ["auto", "require", "off"] as const;

export type ChecksumMode = (typeof checksumModes)[number];

/** The verdict of a verification on an object, and why it is no better. */
export function verifyVerdict(relation: Outcome["relation"]): { verdict: Verdict; reason: string } {
  switch (relation) {
    case "missing":
      return { verdict: "missing", reason: "not at the destination" };
    case "size-differs":
      return { verdict: "differs", reason: "another size at the destination" };
    case "hash-differs":
      return { verdict: "differs", reason: "another MD5 at the destination" };
    case "size-equal":
      return { verdict: "size-only", reason: "same size; no MD5 to compare on one side" };
    case "hash-equal":
      return { verdict: "hash-proven", reason: "same size and MD5" };
  }
}

/** Whether a verdict fails the verification. */
export function isFailure(verdict: Verdict, checksum: ChecksumMode): boolean {
  return (
    verdict === "missing" || verdict === "differs" || (verdict === "size-only" && checksum === "require")
  );
}
