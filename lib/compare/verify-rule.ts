import type { Outcome } from "./comparison.ts";

/** What a comparison with a listing of the destination says of an object, from best to worst. */
export const verdicts = ["hash-proven", "size-only", "differs", "missing"] as const;

export type Verdict = (typeof verdicts)[number];

/** What hashes are worth: compared where both sides have them, required of every object, or not looked at. */
export const checksumModes = ["auto", "require", "off"] as const;

export type ChecksumMode = (typeof checksumModes)[number];

/** The verdict on one object, and why it is no better. */
export function verdictOn(relation: Outcome["relation"]): { verdict: Verdict; reason: string } {
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
