import type { ReadProgress } from "../system/line-blocks.ts";
import { formatBytes, formatDuration, formatNetworkRate, type RateUnit } from "../system/units.ts";
import { sizeStatsOf } from "./analysis.ts";
import {
  arraySeconds,
  type ClusterAssumptions,
  type RequestCounts,
  requestsOf,
  type ShardSuggestion,
  suggestShards,
} from "./cost-model.ts";
import type { SizeBin } from "./size-stats.ts";

/** How many rates are in the table of times. */
const ratesCount = 7;

/** How sizes are put into bins: not at all, by powers of two, or into `bins` bins of equal ratio between two sizes. */
type HistogramMode =
  | { mode: "none" }
  | ({ mode: "pow2" } & Pow2Bounds)
  | { mode: "log"; bins: number; min: number; max: number };

/** Bounds of a histogram of powers of two. */
interface Pow2Bounds {
  /** The most bins there may be between the two ends. */
  bins?: number | undefined;
  /** The bins begin with the power of two at or below this size, and end with the one at or above that. */
  min?: number | undefined;
  max?: number | undefined;
}

/** The input of an estimate, and its assumptions. */
export interface EstimateOptions {
  /** A manifest or a listing of rclone lsjson, or "-" for standard input. */
  manifestPath: string;
  /** Bytes a second. */
  minRate: number;
  maxRate: number;
  histogram: HistogramMode;
  /** The unit of printed rates; undefined for bits, in the unit that suits each rate. */
  preferUnits: RateUnit | undefined;
  cluster: ClusterAssumptions;
  now: Date;
  onProgress?: ((progress: ReadProgress) => void) | undefined;
}

/** The time at one rate of the network. */
interface RateTime {
  bytes_per_second: number;
  rate_human: string;
  /** The time that the network takes for the bytes. */
  bytes_seconds: number;
  bytes_seconds_human: string;
  /** The longer of the network's time and the array's. */
  expected_seconds: number;
  expected_seconds_human: string;
  expected_end: string;
}

/** An estimate of a transfer, schema xfer.estimate.v1. */
export interface Estimate {
  schema: "xfer.estimate.v1";
  total_files: number;
  total_bytes: number;
  total_bytes_human: string;
  rates: RateTime[];
  /** The time that the array takes where the network is no limit. */
  array_seconds: number;
  shards: number;
  assumptions: ShardSuggestion["assumptions"];
  requests: RequestCounts & { total: number; per_object: number };
  histogram: SizeBin[];
}

/** Estimates a transfer in one reading of its manifest or listing. Throws invalid input for a bad or empty one. */
export async function estimateTransfer(options: EstimateOptions): Promise<Estimate> {
  const { histogram, cluster } = options;
  const bins = histogram.mode === "log" ? new LogBins(histogram) : undefined;
  const stats = await sizeStatsOf(
    options.manifestPath,
    options.onProgress,
    bins && ((size) => bins.add(size)),
  );
  const { objects, bytes } = stats;
  const { shards, assumptions } = suggestShards({ objects, bytes }, cluster);
  const byArray = arraySeconds({ objects, bytes }, shards, cluster);
  const requests = requestsOf(stats);
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  return {
    schema: "xfer.estimate.v1",
    total_files: objects,
    total_bytes: bytes,
    total_bytes_human: formatBytes(bytes),
    rates: ratesFrom(options.minRate, options.maxRate).map((rate) => {
      const expected = Math.max(bytes / rate, byArray);
      return {
        bytes_per_second: rate,
        rate_human: formatNetworkRate(rate, options.preferUnits),
        bytes_seconds: bytes / rate,
        bytes_seconds_human: formatDuration(bytes / rate),
        expected_seconds: expected,
        expected_seconds_human: formatDuration(expected),
        expected_end: new Date(options.now.getTime() + expected * 1000).toISOString(),
      };
    }),
    array_seconds: byArray,
    shards,
    assumptions,
    requests: { ...requests, total, per_object: total / objects },
    histogram: binsOf(),
  };

  function binsOf(): SizeBin[] {
    if (bins) return bins.bins;
    return histogram.mode === "pow2" ? boundedBins(stats.histogram(), histogram) : [];
  }
}

function ratesFrom(min: number, max: number): number[] {
  return logSpaced(min, max, min === max ? 1 : ratesCount);
}

/**
 * The bins of powers of two within bounds. Smaller and larger objects, if there are any, are in one more bin at each end.
 * Where there would be too many bins, each holds several powers.
 */
export function boundedBins(bins: readonly SizeBin[], { bins: count, min, max }: Pow2Bounds): SizeBin[] {
  const filled = bins.filter(({ to }) => to > 1);
  const first = filled.at(0);
  const last = filled.at(-1);
  if (!first || !last || (count === undefined && min === undefined && max === undefined)) return [...bins];
  const low = min === undefined ? Math.log2(first.from) : Math.floor(Math.log2(min));
  const high = max === undefined ? Math.log2(last.to) : Math.ceil(Math.log2(max));
  const powers = Math.max(1, high - low);
  const step = Math.ceil(powers / (count ?? powers));
  const edges = Array.from({ length: Math.ceil(powers / step) + 1 }, (_, i) => 2 ** (low + i * step));
  const ends = [0, ...edges, Number.MAX_SAFE_INTEGER];
  return ends.slice(1).flatMap((to, i) => {
    const from = ends[i] ?? 0;
    const inside = bins.filter((bin) => bin.from >= from && bin.from < to);
    const objects = inside.reduce((sum, bin) => sum + bin.objects, 0);
    const bytes = inside.reduce((sum, bin) => sum + bin.bytes, 0);
    const atEnd = i === 0 || i === ends.length - 2;
    return atEnd && objects === 0 ? [] : [{ from, to, objects, bytes }];
  });
}

/** `count` values of equal ratio from `min` to `max`, both included. */
function logSpaced(min: number, max: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    i === count - 1 ? max : min * (max / min) ** (i / (count - 1)),
  );
}

/** Bins of equal ratio. Smaller and larger objects, if there are any, are in one more bin at each end. */
class LogBins {
  readonly #edges: number[];
  readonly #bins: SizeBin[];

  constructor({ bins, min, max }: { bins: number; min: number; max: number }) {
    this.#edges = logSpaced(min, max, bins + 1).map((edge) => Math.round(edge));
    const ends = [0, ...this.#edges, Number.MAX_SAFE_INTEGER];
    this.#bins = ends.slice(1).map((to, i) => ({ from: ends[i] ?? 0, to, objects: 0, bytes: 0 }));
  }

  add(size: number): void {
    let low = 0;
    let high = this.#edges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (size >= (this.#edges[middle] as number)) low = middle + 1;
      else high = middle;
    }
    const bin = this.#bins[low] as SizeBin;
    bin.objects++;
    bin.bytes += size;
  }

  get bins(): SizeBin[] {
    const last = this.#bins.length - 1;
    return this.#bins.filter((bin, i) => (i > 0 && i < last) || bin.objects > 0);
  }
}
