import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  utimesSync,
} from "node:fs";
import { dirname } from "node:path";
import { readFirstRecord } from "../manifest/read.ts";
import { readShardsMeta } from "../manifest/shards-meta.ts";
import { sortUserFlags } from "../rclone/flags.ts";
import type { RuntimeName } from "../rclone/runtime.ts";
import { sbatchScript, submitScript, workerScript } from "../slurm/sbatch-script.ts";
import { readTextIfAny, removeIfAny, writeFileDurable } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { type RunConfig, readRunRoots, writeRunConfig } from "./config.ts";
import { checkImage, checkListedRoot, checkRoot } from "./inputs.ts";
import { type RunLayout, runLayout } from "./layout.ts";
import { mountsFor } from "./mounts.ts";
import { remoteContext } from "./remotes.ts";

/** How rclone is reached and told to copy, as the user says it. */
interface RcloneSetup {
  runtime: RuntimeName;
  image: string | undefined;
  /** A path where the agents run. */
  configPath: string | undefined;
  confInContainer: string;
  pyxisExtra: readonly string[];
}

/** What the batch job asks for. */
interface SlurmSetup {
  jobName: string;
  arrayConcurrency: number;
  timeLimit: string;
  partition: string;
  cpusPerTask: number;
  mem: string;
  /** Seconds before the time limit at which the agent is told to stop. */
  stopLeadSeconds: number;
  sbatchExtras: readonly string[];
}

/** What a run directory is rendered from. */
export interface RenderOptions {
  runDir: string;
  manifestPath: string;
  /** Taken from shards.meta.json when not given. */
  numShards: number | undefined;
  /** Taken from the manifest when not given. */
  sourceRoot: string | undefined;
  destRoot: string | undefined;
  rclone: RcloneSetup;
  rcloneFlags: readonly string[];
  maxAttempts: number;
  maxRestarts: number;
  slurm: SlurmSetup;
  /** What the array runs: a copy of this file at bin/xfer, or a path that is on the cluster already. */
  agent: { copyOf: string } | { path: string };
  version: string;
  now: Date;
}

/**
 * Writes config.resolved.json, the scripts and the agent's binary into a run directory; nothing in it names the
 * directory itself. Throws invalid input before anything is written.
 */
export async function renderRun(options: RenderOptions): Promise<RunConfig> {
  const run = runLayout(options.runDir);
  const { rclone, slurm } = options;
  const first = await readFirstRecord(options.manifestPath);
  const context =
    rclone.configPath === undefined ? undefined : remoteContext(rclone.configPath, rclone.runtime);
  const rootOf = (which: "source" | "dest", given: string | undefined, listed: string) =>
    given === undefined
      ? checkListedRoot(`${options.manifestPath}: ${which}_root`, listed, context)
      : checkRoot(`--${which}-root`, given, context);
  const config: RunConfig = {
    schema: "xfer.runconfig.v1",
    xfer_version: options.version,
    created_at: options.now.toISOString(),
    run_id: first.run_id,
    source_root: rootOf("source", options.sourceRoot, first.source_root),
    dest_root: rootOf("dest", options.destRoot, first.dest_root),
    num_shards: resolveNumShards(run, options.numShards),
    runtime: rclone.runtime,
    rclone_image: rclone.image ?? null,
    rclone_config: rclone.configPath ?? null,
    rclone_conf_in_container: rclone.confInContainer,
    rclone_flags: [...options.rcloneFlags],
    pyxis_extra: [...rclone.pyxisExtra],
    cpus_per_task: slurm.cpusPerTask,
    max_attempts: options.maxAttempts,
    max_restarts: options.maxRestarts,
    array_concurrency: slurm.arrayConcurrency,
    job_name: slurm.jobName,
    stop_lead_seconds: slurm.stopLeadSeconds,
  };
  checkRclone(config);
  checkSameRoots(run, config);
  const script = sbatchScript({
    jobName: slurm.jobName,
    numTasks: config.num_shards,
    concurrency: slurm.arrayConcurrency,
    timeLimit: slurm.timeLimit,
    partition: slurm.partition,
    cpusPerTask: slurm.cpusPerTask,
    mem: slurm.mem,
    stopLeadSeconds: slurm.stopLeadSeconds,
    extras: slurm.sbatchExtras,
  });
  mkdirSync(run.logsDir, { recursive: true });
  mkdirSync(run.stateDir, { recursive: true });
  installAgent(run, options.agent);
  for (const [path, text] of [
    [run.workerScript, workerScript],
    [run.sbatchScript, script],
    [run.submitScript, submitScript],
  ] as const) {
    writeFileDurable(path, text);
    // Executable for whoever the umask lets read it.
    chmodSync(path, statSync(path).mode | ((statSync(path).mode & 0o444) >> 2));
  }
  writeRunConfig(run.config, config);
  return config;
}

/** Throws invalid input when rclone could not be run as the config says. */
function checkRclone(config: RunConfig): void {
  sortUserFlags(config.rclone_flags);
  checkImage(config.runtime, config.rclone_image ?? undefined);
  // Refuses what a container cannot mount.
  mountsFor({
    runtime: config.runtime,
    configPath: config.rclone_config ?? undefined,
    confInContainer: config.rclone_conf_in_container,
    readOnly: [config.source_root],
    writable: [config.dest_root],
    context: remoteContext(config.rclone_config ?? undefined, config.runtime),
  });
}

/**
 * Throws invalid input when agents have worked on this run directory for other roots: what their state proves of one
 * destination says nothing of another.
 */
function checkSameRoots(run: RunLayout, config: RunConfig): void {
  if (!existsSync(run.stateDir) || readTextIfAny(run.config) === undefined) return;
  if (!readdirSync(run.stateDir).some((name) => name.startsWith("shard_"))) return;
  const before = readRunRoots(run.config);
  if (before === undefined) {
    throw invalidInput(
      `${run.config}: does not say for which roots the state in ${run.stateDir} is: if that is ${config.source_root} ` +
        `and ${config.dest_root}, remove this file and render again; otherwise use a new run directory`,
    );
  }
  const { source_root, dest_root } = before;
  if (source_root === config.source_root && dest_root === config.dest_root) return;
  throw invalidInput(
    `${run.stateDir} says what was copied from ${source_root} to ${dest_root}: for other roots use a new run directory`,
  );
}

function resolveNumShards(run: RunLayout, asked: number | undefined): number {
  const meta = readShardsMeta(run.shardsMeta);
  const numShards = asked ?? meta?.num_shards;
  if (numShards === undefined) {
    throw invalidInput(`--num-shards is needed: there is no ${run.shardsMeta} that tells it`);
  }
  if (meta && meta.num_shards !== numShards) {
    throw invalidInput(`--num-shards is ${numShards}, but ${run.shardsMeta} has ${meta.num_shards} shards`);
  }
  return numShards;
}

function installAgent(run: RunLayout, agent: RenderOptions["agent"]): void {
  mkdirSync(dirname(run.binary), { recursive: true });
  if ("path" in agent) {
    if (/[\n\r\0]/.test(agent.path)) throw invalidInput("--agent-path: has a line break");
    writeFileDurable(run.agentPath, `${agent.path}\n`);
    removeIfAny(run.binary);
    return;
  }
  const from = statSync(agent.copyOf);
  const there = statSync(run.binary, { throwIfNoEntry: false });
  if (!there || there.size !== from.size || Math.trunc(there.mtimeMs) !== Math.trunc(from.mtimeMs)) {
    // Beside it and renamed: the file may be running.
    const temp = `${run.binary}.tmp.${process.pid}`;
    copyFileSync(agent.copyOf, temp, constants.COPYFILE_FICLONE);
    utimesSync(temp, from.atime, from.mtime);
    renameSync(temp, run.binary);
  }
  removeIfAny(run.agentPath);
}
