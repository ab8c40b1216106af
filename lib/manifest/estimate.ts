import type { ReadProgress } from "../system/line-blocks.ts";
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

/** Rates in the table of times. */
const ratesCount = 7;

/** How sizes are put into bins: by powers of two, or so many bins of equal ratio between two sizes. */
type HistogramMode = { mode: "pow2" } | { mode: "log"; bins: number; min: number; max: number };

/** What an estimate is asked for. */
export interface EstimateOptions {
  /** A manifest, or "-" for standard input. */
  manifestPath: string;
  /** Bytes a second. */
  minRate: number;
  maxRate: number;
  histogram: HistogramMode;
  cluster: ClusterAssumptions;
  now: Date;
  onProgress?: ((progress: ReadProgress) => void) | undefined;
}

/** The time at one rate of the network. */
interface RateTime {
  bytes_per_second: number;
  /** For the bytes alone. */
  bytes_seconds: number;
  /** With what the array's tasks can do: the later of the two. */
  expected_seconds: number;
  expected_end: string;
}

/** An estimate of a transfer, schema xfer.estimate.v1. */
export interface Estimate {
  schema: "xfer.estimate.v1";
  total_files: number;
  total_bytes: number;
  rates: RateTime[];
  /** What the array takes where the network is no limit. */
  array_seconds: number;
  shards: number;
  assumptions: ShardSuggestion["assumptions"];
  requests: RequestCounts & { total: number; per_object: number };
  histogram: SizeBin[];
}

/** Estimates a transfer in one pass over its manifest. Throws invalid input for a bad or empty one. */
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
    rates: logSpaced(options.minRate, options.maxRate, ratesCount).map((rate) => {
      const expected = Math.max(bytes / rate, byArray);
      return {
        bytes_per_second: rate,
        bytes_seconds: bytes / rate,
        expected_seconds: expected,
        expected_end: new Date(options.now.getTime() + expected * 1000).toISOString(),
      };
    }),
    array_seconds: byArray,
    shards,
    assumptions,
    requests: { ...requests, total, per_object: total / objects },
    histogram: bins ? bins.bins : stats.histogram(),
  };
}

/** `count` values of equal ratio from `min` to `max`, both included. */
function logSpaced(min: number, max: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    i === count - 1 ? max : min * (max / min) ** (i / (count - 1)),
  );
}

/** Bins of equal ratio; what is smaller or larger is in one bin more at each end, where there is any. */
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
