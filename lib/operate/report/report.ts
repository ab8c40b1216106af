import { existsSync, statSync } from "node:fs";
import { basename, relative } from "node:path";
import {
  readUntransferable,
  type Untransferable,
  untransferablePath,
} from "../../manifest/untransferable.ts";
import type { Account } from "../../run/account.ts";
import { type RunConfig, readRunConfig } from "../../run/config.ts";
import { readDeltaSame } from "../../run/delta-totals.ts";
import { readEvents } from "../../run/events.ts";
import { type RunLayout, runLayout } from "../../run/layout.ts";
import { rootsOfShards } from "../../run/roots.ts";
import { readSubmissions } from "../../run/submissions.ts";
import { readShardsMeta, type ShardsMeta } from "../../shard/meta.ts";
import { errnoOf, invalidInput, messageOf, XferError } from "../../system/errors.ts";
import { sha256OfFile } from "../../system/file-digest.ts";
import { formatShards } from "../../system/units.ts";
import { readVerification, type Verification } from "../../verify/verification.ts";
import { outdatedBy, proofOf, verdictOf } from "./proof.ts";
import type { Report } from "./schema.ts";
import { readShards, type ShardsFound } from "./shards.ts";
import { type Milestone, timelineOf } from "./timeline.ts";
import { readVersions } from "./versions.ts";

/** A run to report on. */
export interface ReportOptions {
  runDir: string;
  /** This xfer's version. */
  version: string;
  now: Date;
}

const dayMs = 86_400_000;

/**
 * Reads all that is known of a run but the names of objects. Files that are missing or torn are named in `warnings`. Memory
 * is some hundred bytes a shard. Throws invalid input for a folder that holds no run.
 */
export async function readReport({ runDir, version, now }: ReportOptions): Promise<Report> {
  const run = runLayout(runDir);
  const warnings: string[] = [];
  const note = (error: unknown) => {
    if (!(error instanceof XferError)) throw error;
    warnings.push(messageOf(error));
  };
  const meta = shardsOf(run);
  const config = configOf(run, note);
  const roots = await rootsOf(run, config, meta);
  const madeMs = Date.parse(config?.created_at ?? meta?.created_at ?? "");
  // A node's clock may be wrong by hours, but not by days.
  const limits = { fromMs: (madeMs || 0) - dayMs, toMs: now.getTime() + dayMs };
  const shards = readShards(run, meta, limits);
  const account = await wholeAccount(run, meta, shards.account, note);
  const manifest_sha256 = await digestOf(run.manifest);
  const found = readVerification(run.verifyTotals);
  if (!found && existsSync(run.verifyTotals)) warnings.push(`${run.verifyTotals}: torn or foreign`);
  const { lastSignMs } = shards;
  const outdated = found && outdatedBy(found, { manifest_sha256, dest_root: roots.dest_root, lastSignMs });
  const proof = proofOf(account, found, outdated ?? null);
  const submissions = readSubmissions(run);
  const milestones = milestonesOf({ config, meta, found, shards });
  const { faults, moreFaults } = shards;
  const told = timelineOf({ milestones, submissions, events: readEvents(run), faults, moreFaults });
  const { seconds, points } = shards.throughput.points();
  if (meta === undefined)
    warnings.push(`${run.shardsMeta}: no such file: the manifest is not cut into shards`);
  return {
    schema: "xfer.report.v1",
    made_at: now.toISOString(),
    run_dir: runDir,
    verdict: meta === undefined ? "unfinished" : verdictOf(account, proof),
    asked: askedOf(config, meta, roots),
    shards: account.shards,
    ...amountsOf(account),
    proof,
    causes: shards.causes,
    more_causes: shards.moreCauses,
    attempts: shards.attempts,
    timeline: told.timeline,
    more_timeline: told.more,
    throughput: { bucket_seconds: seconds, sampled_shards: shards.sampledShards, points },
    versions: await readVersions({
      ...{ run, config, meta, verification: found, version },
      isSubmitted: submissions.length > 0,
    }),
    digests: await digestsOf(run, manifest_sha256),
    warnings: [...warnings, ...account.warnings],
    shard_list: shards.list,
  };
}

/** What shards.meta.json says; undefined where there is none. Throws invalid input for what is no run directory. */
function shardsOf(run: RunLayout): ShardsMeta | undefined {
  const refuse = (problem: string) =>
    invalidInput(`--run-dir: ${run.dir}: ${problem}: not a run directory (see xfer run --help)`);
  const found = statSync(run.dir, { throwIfNoEntry: false });
  if (!found?.isDirectory()) throw refuse(found ? "is no folder" : "no such folder");
  const meta = readShardsMeta(run.shardsMeta);
  if (meta || existsSync(run.manifest)) return meta;
  throw refuse("has neither a manifest nor shards");
}

/** The configuration; undefined where the run was not rendered, or it cannot be read, which is noted. */
function configOf(run: RunLayout, note: (error: unknown) => void): RunConfig | undefined {
  if (!existsSync(run.config)) return undefined;
  try {
    return readRunConfig(run.config);
  } catch (error) {
    note(error);
    return undefined;
  }
}

async function rootsOf(
  run: RunLayout,
  config: RunConfig | undefined,
  meta: ShardsMeta | undefined,
): Promise<{ source_root: string; dest_root: string }> {
  if (config) return config;
  return meta ? rootsOfShards(run, meta) : { source_root: "", dest_root: "" };
}

/** The account with what is in no shard. */
async function wholeAccount(
  run: RunLayout,
  meta: ShardsMeta | undefined,
  account: Account,
  note: (error: unknown) => void,
): Promise<Account> {
  let untransferable: Pick<Untransferable, "objects" | "bytes"> = { objects: 0, bytes: 0 };
  let same = { objects: 0, bytes: 0 };
  try {
    untransferable = await readUntransferable(run.manifest);
    same = readDeltaSame(run, meta);
  } catch (error) {
    note(error);
  }
  const { objects, bytes } = untransferable;
  account.untransferable = { objects, bytes };
  for (const to of [account.listed, account.unchanged]) {
    to.objects += same.objects;
    to.bytes += same.bytes;
  }
  account.listed.objects += objects;
  account.listed.bytes += bytes;
  return account;
}

function amountsOf({ listed, copied, unchanged, failed, unfinished, untransferable }: Account) {
  return { listed, copied, unchanged, failed, unfinished, untransferable };
}

function askedOf(
  config: RunConfig | undefined,
  meta: ShardsMeta | undefined,
  { source_root, dest_root }: { source_root: string; dest_root: string },
): Report["asked"] {
  return {
    run_id: config?.run_id ?? null,
    source_root,
    dest_root,
    config: config ? { ...config } : null,
    shards: {
      num_shards: meta?.num_shards ?? 0,
      strategy: meta?.strategy ?? null,
      input: meta?.input ?? null,
    },
  };
}

function milestonesOf(of: {
  config: RunConfig | undefined;
  meta: ShardsMeta | undefined;
  found: Verification | undefined;
  shards: ShardsFound;
}): Milestone[] {
  const { config, meta, found, shards } = of;
  const { started_at, ended_at } = shards.attempts;
  return [
    { at: meta?.created_at, what: "cut", detail: `into ${formatShards(meta?.num_shards ?? 0)}` },
    { at: config?.created_at, what: "rendered", detail: `by xfer ${config?.xfer_version ?? ""}` },
    { at: started_at, what: "began", detail: "the first start of a shard whose time is known" },
    { at: ended_at, what: "last end", detail: "a shard was done or failed" },
    { at: found?.verified_at, what: "compared", detail: found?.verified ? "verified" : "not verified" },
  ];
}

/** The SHA-256 of a file; null where there is none. */
async function digestOf(path: string): Promise<string | null> {
  try {
    return await sha256OfFile(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return null;
  }
}

/** The digests of the files that say what was to be copied. Those of the shards are in the list of shards. */
async function digestsOf(run: RunLayout, manifest: string | null): Promise<Report["digests"]> {
  const digests = [{ file: basename(run.manifest), sha256: manifest }];
  const others = [untransferablePath(run.manifest), run.delta, run.shardsMeta, run.config];
  for (const path of others) {
    const sha256 = await digestOf(path);
    if (sha256 !== null) digests.push({ file: relative(run.dir, path), sha256 });
  }
  return digests;
}
