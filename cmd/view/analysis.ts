import type { Analysis } from "../../lib/estimate/analysis.ts";
import { formatBytes, formatCount, formatObjects } from "../../lib/system/units.ts";

/** Space that the histogram's numbers take on a line. */
const numbersWidth = 46;

/** How wide a histogram's bars are on a terminal of so many columns. */
export function barWidthOf(columns: number): number {
  return Math.max(10, Math.min(60, columns - numbersWidth - 1));
}

/** An analysis for people, with a bar for each bin. */
export function analysisText(analysis: Analysis, barWidth: number): string {
  const { file_size_stats: sizes, histogram } = analysis;
  const size = (name: string) => formatBytes(Number(sizes[name]));
  const part = (name: string) => `${sizes[`${name}_files_pct`]}%`;
  const lines = [
    `${formatObjects(analysis.total_files)}, ${formatBytes(analysis.total_bytes)}`,
    `sizes    min ${size("min")}, p10 ${size("p10")}, median ${size("median")}, mean ${size("mean")}, p90 ${size("p90")}, max ${size("max")}`,
    `         below 1 MiB ${part("small")}, to 100 MiB ${part("medium")}, above ${part("large")}`,
    "",
    ...histogramLines(
      histogram.map(({ range_min, range_max, file_count, bytes }) => ({
        from: range_min,
        to: range_max,
        objects: file_count,
        bytes,
      })),
      barWidth,
    ),
    "",
    `profile  ${analysis.profile}: ${analysis.profile_explanation}`,
    `flags    ${analysis.suggested_flags}`,
    `shards   ${formatCount(analysis.suggested_shard_count)}`,
    ...analysis.shard_count_reasoning.split("; ").map((reason) => `         ${reason}`),
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * An analysis as it is printed: what `--out FILE` writes, whose names scripts of an earlier tool know, and the names that
 * all commands have for the same things.
 */
export function analysisJson(analysis: Analysis) {
  return {
    ...analysis,
    objects: analysis.total_files,
    bytes: analysis.total_bytes,
    num_shards: analysis.suggested_shard_count,
    histogram: analysis.histogram.map((bin) => ({
      ...bin,
      from: bin.range_min,
      to: bin.range_max,
      objects: bin.file_count,
    })),
  };
}

/** A line with a bar for each bin that holds an object; the longest bar is `width` long. */
export function histogramLines(
  bins: readonly { from: number; to: number; objects: number; bytes: number }[],
  width: number,
): string[] {
  const most = bins.reduce((max, { objects }) => Math.max(max, objects), 1);
  return bins
    .filter(({ objects }) => objects > 0)
    .map(({ from, objects, bytes }) => {
      const bar = "█".repeat(Math.max(1, Math.round((width * objects) / most)));
      return `${`from ${formatBytes(from)}`.padStart(16)}${formatCount(objects).padStart(16)}${formatBytes(bytes).padStart(12)}  ${bar}`;
    });
}
