import { existsSync } from "node:fs";
import { readFirstRecord } from "../manifest/read.ts";
import { shardManifest } from "../manifest/shard.ts";
import { readShardsMeta, type ShardStrategy } from "../manifest/shards-meta.ts";
import { invalidInput } from "../system/errors.ts";
import { stoppedError, stopReason } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { formatBytes, formatObjects } from "../system/units.ts";
import { type BuildOptions, buildManifest } from "./build-manifest.ts";
import type { RunConfig } from "./config.ts";
import { runLayout } from "./layout.ts";
import { type RenderOptions, renderRun } from "./render.ts";

/** What brings a run directory to the point where its agents can start. */
export interface PrepareOptions {
  build: Omit<BuildOptions, "out" | "sourceRoot" | "destRoot"> & {
    sourceRoot: string | undefined;
    destRoot: string | undefined;
  };
  /** As the user gave it; undefined for the default. */
  numShards: number | undefined;
  numShardsDefault: number;
  strategy: ShardStrategy;
  render: Omit<RenderOptions, "manifestPath" | "numShards" | "sourceRoot" | "destRoot">;
}

/**
 * Builds the manifest, shards and renders, leaving alone what is there: a manifest is never listed again, and shards
 * that agents may have worked on stay as they are. Throws invalid input when what is there is not what is asked for.
 */
export async function prepareRun(options: PrepareOptions): Promise<RunConfig> {
  const { build, render } = options;
  const run = runLayout(render.runDir);
  if (existsSync(run.manifest)) {
    await checkSameRoots(run.manifest, build);
    log.info(`${run.manifest} is there: the source is not listed again`);
  } else {
    const { sourceRoot, destRoot } = build;
    if (sourceRoot === undefined || destRoot === undefined) {
      throw invalidInput(`--source and --dest are needed: there is no ${run.manifest} yet`);
    }
    if (existsSync(run.shardsMeta)) {
      throw invalidInput(`${run.shardsDir} has shards, but ${run.manifest} is gone: use a new run directory`);
    }
    const listed = await buildManifest({ ...build, sourceRoot, destRoot, out: run.manifest });
    log.info(`listed ${formatObjects(listed.objects)}, ${formatBytes(listed.bytes)}`);
    if (listed.leftOut > 0) log.warn(leftOutText(listed));
  }
  throwIfStopped(build.stop);
  const meta = readShardsMeta(run.shardsMeta);
  if (!meta) {
    const made = await shardManifest({
      manifestPath: run.manifest,
      outdir: run.shardsDir,
      numShards: options.numShards ?? options.numShardsDefault,
      strategy: options.strategy,
      now: render.now,
    });
    log.info(`cut into ${made.num_shards} shards by ${made.strategy}`);
  } else if (options.numShards !== undefined && options.numShards !== meta.num_shards) {
    throw invalidInput(
      `--num-shards is ${options.numShards}, but the run has ${meta.num_shards} shards already: ` +
        "leave it out, or use a new run directory",
    );
  }
  throwIfStopped(build.stop);
  return renderRun({
    ...render,
    manifestPath: run.manifest,
    numShards: undefined,
    sourceRoot: undefined,
    destRoot: undefined,
  });
}

function throwIfStopped(stop: AbortSignal): void {
  const reason = stopReason(stop);
  if (reason) throw stoppedError(reason, "run the same command again to go on");
}

/** The warning for what rclone does not copy. */
export function leftOutText(listed: { leftOut: number; firstLeftOut: string | undefined }): string {
  return (
    `${listed.leftOut} entries are not in the manifest: rclone copies no symbolic links or special files ` +
    `(-L in --extra-lsjson-flags and --rclone-flags follows links); the first: ${listed.firstLeftOut ?? ""}`
  );
}

async function checkSameRoots(
  manifest: string,
  asked: { sourceRoot: string | undefined; destRoot: string | undefined },
): Promise<void> {
  const first = await readFirstRecord(manifest);
  for (const [flag, root, listed] of [
    ["--source", asked.sourceRoot, first.source_root],
    ["--dest", asked.destRoot, first.dest_root],
  ] as const) {
    if (root !== undefined && root !== listed) {
      throw invalidInput(
        `${flag} is ${root}, but ${manifest} was listed with ${listed}: a manifest is immutable, use a new run directory`,
      );
    }
  }
}
