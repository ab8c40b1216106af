import { existsSync } from "node:fs";
import { basename } from "node:path";
import { type BuildOptions, buildManifest } from "../build/from-listing.ts";
import { sayLeftOut } from "../build/left-out.ts";
import { type DeltaOptions, deltaText, makeDelta, notComparableText } from "../compare/delta.ts";
import { shardsFor } from "../estimate/analysis.ts";
import { clusterDefaults } from "../estimate/cost-model.ts";
import { readFirstRecord } from "../manifest/read.ts";
import type { RunConfig } from "../run/config.ts";
import { writeDeltaTotals } from "../run/delta-totals.ts";
import { type RunLayout, runLayout } from "../run/layout.ts";
import { requireSameRoots, rootsOfShards } from "../run/roots.ts";
import { shardManifest } from "../shard/cut.ts";
import { readShardsMeta, type ShardStrategy, type ShardsMeta } from "../shard/meta.ts";
import { invalidInput } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { formatBytes, formatObjects, formatShards } from "../system/units.ts";
import { renderRun } from "./render.ts";
import type { RenderOptions } from "./request.ts";

/** What a run directory is prepared from, up to the point where its agents can start. */
export interface PrepareOptions {
  build: Omit<BuildOptions, "out" | "sourceRoot" | "destRoot"> & {
    sourceRoot: string | undefined;
    destRoot: string | undefined;
  };
  /** As the user gave it: "auto" for what the objects' sizes suggest, undefined for the default. */
  numShards: number | "auto" | undefined;
  numShardsDefault: number | "auto";
  /** The least work for which "auto" cuts another shard; undefined for the least that an array task is worth. */
  minShardSeconds: number | undefined;
  strategy: ShardStrategy;
  /** Plan only what is missing or differs at the destination; undefined to plan everything. */
  delta: Pick<DeltaOptions, "compare" | "bucket" | "onProgress"> | undefined;
  render: Omit<RenderOptions, "manifestPath" | "numShards" | "sourceRoot" | "destRoot">;
}

const resumeHint = "run the same command again to go on";

/**
 * Builds the manifest, shards and renders, leaving alone what is there: a manifest is never listed again, and shards
 * that agents may have worked on stay as they are. Returns undefined when the destination holds everything already, as
 * far as the delta compares. Throws invalid input when what is there is not what is asked for.
 */
export async function prepareRun(options: PrepareOptions): Promise<RunConfig | undefined> {
  const { build, render } = options;
  const run = runLayout(render.runDir);
  if (existsSync(run.manifest)) {
    await checkAskedRoots(run, build);
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
    sayLeftOut(listed, { out: run.manifest, sourceRoot });
  }
  throwIfStopped(build.stop, resumeHint);
  const meta = readShardsMeta(run.shardsMeta);
  if (!meta) {
    const work = options.delta === undefined ? run.manifest : await planDelta(run, options, options.delta);
    if (work === undefined) return undefined;
    throwIfStopped(build.stop, resumeHint);
    const made = await shardManifest({
      manifestPath: work,
      outdir: run.shardsDir,
      numShards: await countShards(work, options),
      // Nobody knows beforehand how many records a delta finds.
      atMost: typeof options.numShards !== "number" || options.delta !== undefined,
      strategy: options.strategy,
      now: render.now,
      stop: build.stop,
    });
    log.info(`cut into ${formatShards(made.num_shards)} by ${made.strategy}`);
  } else if (options.delta !== undefined && meta.input !== basename(run.delta)) {
    throw invalidInput(
      `--delta: ${run.shardsDir} was cut from ${meta.input} already: leave --delta out to go on with it, or use a new ` +
        "run directory",
    );
  } else if (typeof options.numShards === "number" && !isAsAsked(options.numShards, meta, options.delta)) {
    throw invalidInput(
      `--num-shards is ${options.numShards}, but the run has ${meta.num_shards} shards already: ` +
        "leave it out, or use a new run directory",
    );
  }
  throwIfStopped(build.stop, resumeHint);
  return renderRun({
    ...render,
    manifestPath: run.manifest,
    numShards: undefined,
    sourceRoot: undefined,
    destRoot: undefined,
    stop: build.stop,
  });
}

/** Whether shards are as many as were asked for; of a delta, as many as its records allow. */
function isAsAsked(asked: number, meta: ShardsMeta, delta: PrepareOptions["delta"]): boolean {
  return (delta === undefined ? asked : Math.min(asked, meta.num_records)) === meta.num_shards;
}

async function countShards(manifest: string, options: PrepareOptions): Promise<number> {
  const { numShardsDefault, render } = options;
  const numShards = options.numShards ?? numShardsDefault;
  if (numShards !== "auto") return numShards;
  const { cpusPerTask, arrayConcurrency } = render.slurm;
  const { minShardSeconds } = options;
  return shardsFor({
    manifestPath: manifest,
    cluster: { ...clusterDefaults, cpusPerTask, arrayConcurrency, minShardSeconds },
    maxObjects: undefined,
    onProgress: () => throwIfStopped(options.build.stop, resumeHint),
  });
}

/**
 * Writes the part of the manifest that is not at the destination yet and returns its path; undefined when nothing is
 * missing. Each start of the command makes the delta anew as long as there are no shards: nothing was copied until then.
 */
async function planDelta(
  run: RunLayout,
  { build }: PrepareOptions,
  asked: NonNullable<PrepareOptions["delta"]>,
): Promise<string | undefined> {
  const delta = await makeDelta({
    ...build,
    ...asked,
    manifestPath: run.manifest,
    out: run.delta,
    extraOut: undefined,
  });
  writeDeltaTotals(run, delta);
  log.info(`compared with ${delta.dest_root}: ${deltaText(delta)}`);
  const warning = notComparableText(delta);
  if (warning) log.warn(warning);
  return delta.new + delta.changed > 0 ? run.delta : undefined;
}

async function checkAskedRoots(
  run: RunLayout,
  asked: { sourceRoot: string | undefined; destRoot: string | undefined },
): Promise<void> {
  const roots = await readFirstRecord(run.manifest);
  for (const [flag, root, listed] of [
    ["--source", asked.sourceRoot, roots.source_root],
    ["--dest", asked.destRoot, roots.dest_root],
  ] as const) {
    if (root !== undefined && root !== listed) {
      throw invalidInput(
        `${flag} is ${root}, but ${run.manifest} was listed with ${listed}: a manifest is immutable, use a new run directory`,
      );
    }
  }
  const meta = readShardsMeta(run.shardsMeta);
  if (!meta) return;
  const shards = await rootsOfShards(run, meta);
  requireSameRoots(
    { path: run.manifest, roots },
    { path: run.shardsMeta, roots: shards },
    "shard the manifest again",
  );
}
