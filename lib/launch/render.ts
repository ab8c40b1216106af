import { chmodSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { readFirstRecord } from "../manifest/read.ts";
import { remoteContext } from "../rclone/conf.ts";
import { requireApart } from "../rclone/overlap.ts";
import { checkListedRoot, checkRoot } from "../rclone/root-check.ts";
import { type RunConfig, runKeyOf, writeRunConfig } from "../run/config.ts";
import { type RunLayout, runLayout } from "../run/layout.ts";
import { type Roots, rootsOfShards } from "../run/roots.ts";
import { checkShardKeys } from "../shard/check-keys.ts";
import { readShardsMeta, type ShardsMeta } from "../shard/meta.ts";
import { sbatchScript, submitScript, workerScript } from "../slurm/batch-script.ts";
import { writeFileDurable } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { log } from "../system/log.ts";
import { checkRequest } from "./check-request.ts";
import { installAgent } from "./install-agent.ts";
import type { RenderOptions } from "./request.ts";

/**
 * Writes config.resolved.json, the scripts and the agent's binary into a run directory; nothing in it names the
 * directory itself. Throws invalid input before anything is written.
 */
export async function renderRun(options: RenderOptions): Promise<RunConfig> {
  const run = runLayout(options.runDir);
  const { rclone } = options;
  const meta = readShardsMeta(run.shardsMeta);
  const first = await readFirstRecord(options.manifestPath);
  const roots = await resolveRoots(run, meta, first, options);
  const numShards = resolveNumShards(run, meta, options.numShards);
  const config = configOf(options, { run_id: first.run_id, ...roots }, numShards);
  await checkRequest(options, { source: config.source_root, dest: config.dest_root });
  requireApart(
    {
      source: { name: "the source", root: config.source_root },
      dest: { name: "the destination", root: config.dest_root },
    },
    remoteContext(rclone.configPath, rclone.runtime),
  );
  if (meta) await checkShardKeys(run.shardsDir, meta, options.stop);
  // Made before anything is written: it refuses what no batch script can say.
  const script = scriptOf(options, config);
  mkdirSync(run.logsDir, { recursive: true });
  mkdirSync(run.stateDir, { recursive: true });
  installAgent(run, options.agent);
  writeScript(run.workerScript, workerScript);
  writeScript(run.sbatchScript, script);
  writeScript(run.submitScript, submitScript);
  writeRunConfig(run.config, config);
  return config;
}

/** The frozen configuration of a run of this manifest, with these roots. */
function configOf(
  options: RenderOptions,
  { run_id, source_root, dest_root }: Roots & { run_id: string },
  numShards: number,
): RunConfig {
  const { rclone, slurm } = options;
  return {
    schema: "xfer.runconfig.v1",
    xfer_version: options.version,
    created_at: options.now.toISOString(),
    run_id,
    source_root,
    dest_root,
    num_shards: numShards,
    runtime: rclone.runtime,
    rclone_image: rclone.image ?? null,
    rclone_config: rclone.configPath ?? null,
    rclone_conf_in_container: rclone.confInContainer,
    rclone_flags: [...options.rcloneFlags],
    metadata: options.metadata,
    create_bucket: options.createBucket,
    pyxis_extra: [...rclone.pyxisExtra],
    cpus_per_task: slurm.cpusPerTask,
    max_attempts: options.maxAttempts,
    max_restarts: options.maxRestarts,
    array_concurrency: slurm.arrayConcurrency,
    job_name: slurm.jobName,
    stop_lead_seconds: slurm.stopLeadSeconds,
    run_key: runKeyOf({ run_id, source_root, dest_root }),
  };
}

function scriptOf({ slurm }: RenderOptions, config: RunConfig): string {
  return sbatchScript({
    jobName: slurm.jobName,
    numTasks: config.num_shards,
    concurrency: slurm.arrayConcurrency,
    timeLimit: slurm.timeLimit,
    partition: slurm.partition,
    cpusPerTask: slurm.cpusPerTask,
    mem: slurm.mem,
    stopLeadSeconds: slurm.stopLeadSeconds,
    extras: slurm.sbatchExtras,
    runKey: runKeyOf(config),
  });
}

/** Writes a script, executable for whoever the umask lets read it. */
function writeScript(path: string, text: string): void {
  writeFileDurable(path, text);
  const { mode } = statSync(path);
  chmodSync(path, mode | ((mode & 0o444) >> 2));
}

/**
 * The roots of the run: those of the shards that are there, since their records name source and destination; otherwise
 * those of the manifest, where the user says no others. Throws invalid input when the user's are not the shards'.
 */
async function resolveRoots(
  run: RunLayout,
  meta: ShardsMeta | undefined,
  manifest: Roots,
  { manifestPath, sourceRoot, destRoot, rclone }: RenderOptions,
): Promise<Roots> {
  const context =
    rclone.configPath === undefined ? undefined : remoteContext(rclone.configPath, rclone.runtime);
  const rootOf = (which: "source" | "dest", given: string | undefined, listed: string) =>
    given === undefined
      ? checkListedRoot(`${manifestPath}: ${which}_root`, listed, context)
      : checkRoot(`--${which}-root`, given, context);
  const asked = {
    source_root: rootOf("source", sourceRoot, manifest.source_root),
    dest_root: rootOf("dest", destRoot, manifest.dest_root),
  };
  if (!meta) return asked;
  const shards = await rootsOfShards(run, meta);
  // Shards of another manifest have their own roots; those of this one were cut before it was rebased, or it after them.
  if (sourceRoot === undefined && destRoot === undefined && isCutFrom(run, meta, manifestPath)) {
    for (const which of ["source_root", "dest_root"] as const) {
      if (manifest[which] === shards[which]) continue;
      log.warn(
        `${manifestPath} has ${manifest[which]}, but the shards that were cut from it have ${shards[which]}, which is ` +
          "taken: if the manifest was rebased since, shard it again (xfer manifest shard)",
      );
    }
  }
  for (const [flag, root, own] of [
    ["--source-root", sourceRoot, shards.source_root],
    ["--dest-root", destRoot, shards.dest_root],
  ] as const) {
    if (root === undefined || root === own) continue;
    throw invalidInput(
      `${flag} is ${root}, but ${run.shardsMeta} has ${own}: rebase the manifest (xfer manifest rebase) and shard it again`,
    );
  }
  return shards;
}

const isCutFrom = (run: RunLayout, { input }: ShardsMeta, manifestPath: string): boolean =>
  resolve(dirname(run.shardsDir), input) === resolve(manifestPath);

function resolveNumShards(run: RunLayout, meta: ShardsMeta | undefined, asked: number | undefined): number {
  const numShards = asked ?? meta?.num_shards;
  if (numShards === undefined) {
    throw invalidInput(`--num-shards is needed: there is no ${run.shardsMeta} that tells it`);
  }
  if (meta && meta.num_shards !== numShards) {
    throw invalidInput(`--num-shards is ${numShards}, but ${run.shardsMeta} has ${meta.num_shards} shards`);
  }
  return numShards;
}
