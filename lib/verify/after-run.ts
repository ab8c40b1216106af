import { readRunConfig } from "../run/config.ts";
import { type RunLayout, runLayout, shardLayout } from "../run/layout.ts";
import { readDone } from "../run/state/done.ts";
import { readShardsMeta } from "../shard/meta.ts";
import { type ExitCode, exitCodes, messageOf, XferError } from "../system/errors.ts";
import { readVerification, type Verification, verificationHead } from "./verification.ts";
import { type VerifyOptions, verifyRun } from "./verify-run.ts";

/** The end of a run: its destination was compared, or there is a reason why it was not. */
export interface RunVerification {
  verified: boolean;
  /** The verification; null where the destination was not compared. */
  verification: Verification | null;
  /** Why the destination was not compared; null where it was. */
  notVerified: string | null;
  exitCode: ExitCode;
}

/** The facts on which the end of a run rests. */
export interface AfterRunOptions {
  /** Whether the user wants the destination compared. */
  wanted: boolean;
  /** How the copy ended. */
  copied: ExitCode;
  verify: VerifyOptions;
}

/**
 * Compares the destination with the run's manifest after a copy that ended well. If an earlier verification is still good,
 * nothing is listed again. An expected failure is not thrown: it is the reason why nothing was compared.
 */
export async function verifyAfterRun({ wanted, copied, verify }: AfterRunOptions): Promise<RunVerification> {
  const without = (notVerified: string, exitCode: ExitCode): RunVerification => ({
    verified: false,
    verification: null,
    notVerified,
    exitCode,
  });
  if (copied !== exitCodes.done) return without("the copy did not end well", copied);
  if (!wanted) return without("--no-verify", exitCodes.done);
  try {
    const verification = (await verifiedBefore(verify)) ?? (await verifyRun(verify));
    const { verified } = verification;
    return {
      verified,
      verification,
      notVerified: null,
      exitCode: verified ? exitCodes.done : exitCodes.failed,
    };
  } catch (error) {
    if (!(error instanceof XferError)) throw error;
    return without(messageOf(error), error.exitCode);
  }
}

/** The earlier verification of this run, if there is one that is still good. */
async function verifiedBefore(options: VerifyOptions): Promise<Verification | undefined> {
  const run = runLayout(options.runDir);
  const found = readVerification(run.verifyTotals);
  const lastDoneAt = lastDone(run);
  if (!found || lastDoneAt === undefined) return undefined;
  const head = await verificationHead(run, readRunConfig(run.config), options);
  return isStillGood(found, { ...head, lastDoneAt }) ? found : undefined;
}

/**
 * Whether an earlier verification still speaks for a run. All of these must hold:
 *
 * | of the verification | must be |
 * |---|---|
 * | verdict | verified |
 * | comparison | of hashes too, not of sizes alone |
 * | manifest, and with it both roots | the run's, by SHA-256 |
 * | destination | the configuration's |
 * | time | not before the last shard was done |
 */
export function isStillGood(
  found: Pick<Verification, "verified" | "checksum" | "manifest_sha256" | "dest_root" | "verified_at">,
  now: { manifest_sha256: string; dest_root: string; lastDoneAt: string },
): boolean {
  return (
    found.verified &&
    found.checksum !== "off" &&
    found.manifest_sha256 === now.manifest_sha256 &&
    found.dest_root === now.dest_root &&
    Date.parse(found.verified_at) >= Date.parse(now.lastDoneAt)
  );
}

/** When the last shard was done; undefined when a shard is not done, or there are no shards. */
function lastDone(run: RunLayout): string | undefined {
  const meta = readShardsMeta(run.shardsMeta);
  let last: string | undefined;
  for (let shard = 0; shard < (meta?.num_shards ?? 0); shard++) {
    const done = readDone(shardLayout(run, shard).done);
    if (done.kind !== "value") return undefined;
    const { finished_at: at } = done.value;
    if (last === undefined || Date.parse(at) > Date.parse(last)) last = at;
  }
  return last;
}
