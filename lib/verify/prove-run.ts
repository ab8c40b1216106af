import { readRunConfig } from "../run/config.ts";
import { isWholeManifest } from "../run/delta-totals.ts";
import { runLayout } from "../run/layout.ts";
import { requireShardsMeta } from "../shard/meta.ts";
import { collectVerification } from "./collect.ts";
import { type Verification, verificationHead } from "./verification.ts";
import { type VerifyOptions, verifyRun } from "./verify-run.ts";

/**
 * Adds up what the tasks of an array have found of a run. A run whose shards are of a delta, which no array can compare, is
 * compared whole. Throws operation failed where a shard was not verified, or the destination cannot be listed.
 */
export async function proveRun(options: VerifyOptions): Promise<Verification> {
  const run = runLayout(options.runDir);
  const meta = requireShardsMeta(run.shardsMeta);
  if (!isWholeManifest(run, meta)) return verifyRun(options);
  return collectVerification(run, meta, await verificationHead(run, readRunConfig(run.config), options));
}
