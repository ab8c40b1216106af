import { invalidInput } from "../system/errors.ts";
import { inputName } from "../system/input.ts";
import type { ReadProgress } from "../system/line-blocks.ts";
import { log } from "../system/log.ts";
import { quoteWord } from "../system/shell-words.ts";
import { formatBytes, formatObjects } from "../system/units.ts";
import { type ClusterAssumptions, suggestShards } from "./cost-model.ts";
import { forEachSize } from "./size-input.ts";
import { SizeStats } from "./size-stats.ts";

/** The kind of a data set: most objects are below 1 MiB, most are above 100 MiB, or neither. */
type Profile = "small_files" | "large_files" | "mixed";

const flagsOf: Readonly<Record<Profile, string>> = {
  small_files: "--transfers 64 --checkers 128 --fast-list",
  large_files: "--transfers 16 --checkers 32 --buffer-size 256M",
  mixed: "--transfers 32 --checkers 64 --fast-list",
};

const MiB = 1024 * 1024;

/** The analysis of a manifest, as it is written: names and order are a contract with scripts. */
export interface Analysis {
  schema: "xfer.analysis.v1";
  status: "ok";
  total_files: number;
  total_bytes: number;
  total_bytes_human: string;
  file_size_stats: Record<string, number | string>;
  profile: Profile;
  profile_explanation: string;
  suggested_flags: string;
  suggested_shard_count: number;
  shard_count_reasoning: string;
  shard_count_assumptions: Record<string, number | null>;
  histogram: HistogramBin[];
}

/** A bin of the histogram: sizes from `range_min` to less than `range_max`. */
interface HistogramBin {
  range_min: number;
  range_max: number;
  range_label: string;
  file_count: number;
  pct_files: number;
  bytes: number;
  bytes_human: string;
  pct_bytes: number;
}

/** The input of an analysis, and the assumptions that it rests on. */
export interface AnalyzeOptions {
  /** A manifest or a listing of rclone lsjson, or "-" for standard input. */
  manifestPath: string;
  baseFlags: readonly string[];
  cluster: ClusterAssumptions;
  onProgress?: ((progress: ReadProgress) => void) | undefined;
}

/**
 * Analyzes a manifest or a listing in one reading, in memory that does not grow with it. Throws invalid input for a bad or
 * empty one.
 */
export async function analyzeManifest(options: AnalyzeOptions): Promise<Analysis> {
  const stats = await sizeStatsOf(options.manifestPath, options.onProgress);
  return analysisOf(stats, options);
}

/**
 * Gathers the sizes of all objects of a manifest or a listing. Throws invalid input, naming file and line, for a bad record,
 * a torn listing or an input without objects.
 */
export async function sizeStatsOf(
  manifestPath: string,
  onProgress?: (progress: ReadProgress) => void,
  eachSize?: (size: number) => void,
): Promise<SizeStats> {
  const stats = new SizeStats();
  const add = (size: number) => {
    stats.add(size);
    eachSize?.(Math.max(0, size));
  };
  await forEachSize(manifestPath, add, { onProgress });
  const name = inputName(manifestPath);
  if (stats.objects === 0) throw invalidInput(`${name}: no objects: there is nothing to count`);
  if (stats.unknown > 0) {
    log.warn(`${name}: the size of ${formatObjects(stats.unknown)} is not known: counted as 0 B`);
  }
  return stats;
}

function analysisOf(stats: SizeStats, { baseFlags, cluster }: AnalyzeOptions): Analysis {
  const { objects, bytes } = stats;
  const { profile, explanation } = profileOf(stats);
  const suggestion = suggestShards({ objects, bytes }, cluster);
  return {
    schema: "xfer.analysis.v1",
    status: "ok",
    total_files: objects,
    total_bytes: bytes,
    total_bytes_human: formatBytes(bytes),
    file_size_stats: sizeFields(stats),
    profile,
    profile_explanation: explanation,
    suggested_flags: mergeFlags(baseFlags, flagsOf[profile]),
    suggested_shard_count: suggestion.shards,
    shard_count_reasoning: suggestion.reasoning,
    shard_count_assumptions: suggestion.assumptions,
    histogram: histogramOf(stats),
  };
}

/**
 * The number of shards that an analysis suggests, or more where `maxObjects` asks for more, but never more than there are
 * objects. Throws invalid input as `analyzeManifest` does.
 */
export async function shardsFor(
  options: Pick<AnalyzeOptions, "manifestPath" | "cluster" | "onProgress"> & {
    maxObjects: number | undefined;
  },
): Promise<number> {
  const analysis = await analyzeManifest({ ...options, baseFlags: [] });
  const byObjects = Math.ceil(analysis.total_files / (options.maxObjects ?? Number.POSITIVE_INFINITY));
  return Math.min(Math.max(analysis.suggested_shard_count, byObjects), analysis.total_files);
}

const percent = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((1000 * part) / whole) / 10;

function sizeFields(stats: SizeStats): Record<string, number | string> {
  const { objects, small, large } = stats;
  const sizes = {
    min: stats.min,
    max: stats.max,
    median: stats.percentile(0.5),
    mean: Math.floor(stats.bytes / objects),
    p10: stats.percentile(0.1),
    p90: stats.percentile(0.9),
  };
  return {
    ...sizes,
    small_files_pct: percent(small, objects),
    medium_files_pct: percent(objects - small - large, objects),
    large_files_pct: percent(large, objects),
    // The sizes again: for people, and under the names that scripts for the earlier tool read.
    ...Object.fromEntries(
      Object.entries(sizes).flatMap(([name, size]) => [
        [`${name}_human`, formatBytes(size)],
        [`${name}_size`, size],
        [`${name}_size_human`, formatBytes(size)],
      ]),
    ),
    percentile_error: "exact below 2 KiB, within 0.05 % above",
  };
}

function profileOf(stats: SizeStats): { profile: Profile; explanation: string } {
  const median = stats.percentile(0.5);
  const small = (100 * stats.small) / stats.objects;
  const large = (100 * stats.large) / stats.objects;
  const about = `median ${formatBytes(median)}`;
  if (small > 70 || median < MiB) {
    return {
      profile: "small_files",
      explanation: `${small.toFixed(0)}% of the objects are below 1 MiB, ${about}`,
    };
  }
  if (large > 50 || median > 100 * MiB) {
    const explanation = `${large.toFixed(0)}% of the objects are above 100 MiB, ${about}`;
    return { profile: "large_files", explanation };
  }
  return { profile: "mixed", explanation: `neither small nor large objects prevail, ${about}` };
}

/**
 * The suggested flags that the user has not given, followed by the user's flags: scripts for the earlier tool know this order.
 */
function mergeFlags(base: readonly string[], suggested: string): string {
  const given = new Set(base.map((word) => word.split("=", 1)[0]));
  const words = suggested.split(" ");
  const added = words.filter((word, i) => {
    const flag = word.startsWith("--") ? word : (words[i - 1] ?? "");
    return !given.has(flag);
  });
  return [...added, ...base.map(quoteWord)].join(" ");
}

function histogramOf(stats: SizeStats): HistogramBin[] {
  return stats.histogram().map(({ from, to, objects, bytes }) => ({
    range_min: from,
    range_max: to,
    range_label: `${formatBytes(from)} - ${formatBytes(to)}`,
    file_count: objects,
    pct_files: percent(objects, stats.objects),
    bytes,
    bytes_human: formatBytes(bytes),
    pct_bytes: percent(bytes, stats.bytes),
  }));
}
