import type { Account } from "../../run/account.ts";
import type { Verification } from "../../verify/verification.ts";
import type { Report, ReportProof } from "./schema.ts";

/** The run of which a verification should speak. */
interface PresentRun {
  manifest_sha256: string | null;
  dest_root: string;
  /** The last sign of life of any shard, in milliseconds of the clock; undefined when there is none. */
  lastSignMs: number | undefined;
}

/**
 * Why a verification does not speak of a run as it is; null where it does:
 *
 * | of the verification | must be |
 * |---|---|
 * | manifest, by SHA-256 | the run's |
 * | destination | the configuration's |
 * | time | not before a shard was last at work |
 */
export function outdatedBy(found: Verification, run: PresentRun): string | null {
  if (run.manifest_sha256 === null) return "there is no manifest to hold it against";
  if (found.manifest_sha256 !== run.manifest_sha256) return "it is of another manifest";
  if (found.dest_root !== run.dest_root) return `it is of the destination ${found.dest_root}`;
  const { lastSignMs } = run;
  if (lastSignMs !== undefined && !(Date.parse(found.verified_at) >= lastSignMs)) {
    return "shards were at work after it";
  }
  return null;
}

type Counted = Pick<Account, "listed" | "copied" | "unchanged" | "untransferable">;

/**
 * How the listed objects are proven:
 *
 * | there is | hash-proven, size-only | by rclone's word |
 * |---|---|---|
 * | a verification of the run as it is | as it counted | none |
 * | none, or one that is out of date | none | what the agents have proven, and what a delta found the same |
 *
 * All others are not proven. With `checksum` "require" an object of equal size alone is not proven either.
 */
export function proofOf(
  account: Counted,
  found: Verification | undefined,
  outdated: string | null,
): ReportProof {
  const byAgents = account.copied.objects + account.unchanged.objects;
  const shown = found && verificationOf(found, outdated);
  if (!found || outdated !== null) {
    return {
      ...{ hash_proven: 0, size_only: 0, by_rclone: byAgents },
      ...{ not_proven: account.listed.objects - byAgents, verification: shown ?? null },
    };
  }
  const { hash_proven } = found;
  const size_only = found.checksum === "require" ? 0 : found.size_only;
  const not_proven = Math.max(0, account.listed.objects - hash_proven - size_only);
  return { hash_proven, size_only, by_rclone: 0, not_proven, verification: shown ?? null };
}

function verificationOf(found: Verification, outdated: string | null): ReportProof["verification"] {
  const { verified, verified_at, checksum, hash_proven, size_only, missing, differs } = found;
  const { extra, sampled, sampled_differs } = found;
  return {
    ...{ verified, verified_at, checksum, hash_proven, size_only, missing, differs },
    ...{ extra, sampled, sampled_differs, outdated },
  };
}

/**
 * How a run stands in one word:
 *
 * | | verdict |
 * |---|---|
 * | a shard has neither ended well nor failed | unfinished |
 * | a shard has failed, something is untransferable, or a verification of the run as it is failed | not-proven |
 * | else | proven |
 */
export function verdictOf(
  { shards, untransferable }: Pick<Account, "shards" | "untransferable">,
  proof: ReportProof,
): Report["verdict"] {
  if (shards.unfinished > 0) return "unfinished";
  const { verification } = proof;
  const isRefuted = verification !== null && verification.outdated === null && !verification.verified;
  return shards.failed > 0 || untransferable.objects > 0 || isRefuted ? "not-proven" : "proven";
}
