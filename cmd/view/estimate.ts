import type { Estimate } from "../../lib/estimate/estimate.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatObjects,
  formatRate,
  formatShards,
} from "../../lib/system/units.ts";
import { histogramLines } from "./analysis.ts";

/** An estimate for people: times by rate, requests, sizes, and what was assumed. */
export function estimateText(estimate: Estimate, barWidth: number): string {
  const { requests, assumptions } = estimate;
  const count = (name: keyof typeof requests) => formatCount(requests[name]);
  const row = (...cells: string[]) => cells.map((cell, i) => cell.padStart(i === 4 ? 22 : 14)).join("");
  const lines = [
    `${formatObjects(estimate.total_files)}, ${formatBytes(estimate.total_bytes)}`,
    "",
    row("rate", "", "bytes alone", "expected", "ends at"),
    ...estimate.rates.map((rate) =>
      row(
        rate.rate_human,
        formatRate(rate.bytes_per_second),
        rate.bytes_seconds_human,
        rate.expected_seconds_human,
        rate.expected_end.replace(/\.\d+Z$/, "Z"),
      ),
    ),
    "",
    `expected: no sooner than the array's tasks can: ${formatDuration(estimate.array_seconds)} for ${formatShards(estimate.shards)},`,
    `  ${assumptions.array_concurrency} tasks at a time, each ${formatRate(Number(assumptions.task_bytes_per_second))}, ` +
      `${assumptions.task_objects_per_second} objects/s, ${assumptions.task_start_seconds} s to start`,
    `requests (S3 to S3): ${count("list")} LIST, ${count("get")} GET, ${count("put")} PUT, ${count("part_put")} parts, ` +
      `${count("part_post")} POST: ${requests.per_object.toFixed(2)} an object`,
    ...(estimate.histogram.length === 0 ? [] : ["", ...histogramLines(estimate.histogram, barWidth)]),
  ];
  return `${lines.join("\n")}\n`;
}

/** An estimate as it is printed, with the names that all commands have for the same things. */
export function estimateJson(estimate: Estimate) {
  const { total_files: objects, total_bytes: bytes, shards: num_shards } = estimate;
  return { ...estimate, objects, bytes, num_shards };
}
