import type { Report } from "../../../lib/operate/report/schema.ts";
import { formatCount, formatDuration } from "../../../lib/system/units.ts";
import { escapeHtml, nameHtml } from "./escape.ts";
import { type Chart, type ChartBar, type ChartNode, chartOf } from "./lanes.ts";

/** How starts of each outcome are shown; those of which only samples are left have none. */
const outcomes = [
  ["done", "done"],
  ["failed", "failed"],
  ["stopped", "stopped from outside"],
  ["bad-node", "no container"],
  ["running", "under way"],
  ["unknown", "an earlier start"],
] as const;

const ticks = 4;

/** The chart of shards over time, a row for each node. It is drawn here, and needs no script. */
export function chartHtml(report: Report): string {
  const chart = chartOf(report.shard_list);
  if (chart.nodes.length === 0) return "";
  const known = new Set(chart.nodes.flatMap(({ bars }) => bars.map(outcomeOf)));
  const legend = outcomes
    .filter(([name]) => known.has(name))
    .map(([name, says]) => `<li><span class="swatch ${name}"></span>${says}</li>`);
  const left =
    chart.left === 0 ? "" : `<p class="note">${formatCount(chart.left)} shorter starts are not shown.</p>`;
  return [
    '<section><h2>Shards over time</h2><p class="note">A bar is a start of a shard, a row the node that it ran on. In UTC.</p>',
    `<ul class="legend">${legend.join("")}</ul><div class="chart">`,
    ...chart.nodes.map((node) => nodeHtml(node, chart)),
    `<div class="node axis"><p></p><ol>${ticksOf(chart)}</ol></div></div>${left}</section>\n`,
  ].join("");
}

const outcomeOf = ({ span }: ChartBar): string => span.outcome ?? "unknown";

/** The height of a lane in pixels: rows of many lanes are drawn thinner. */
const laneHeight = (lanes: number): number => (lanes <= 8 ? 12 : lanes <= 32 ? 7 : 4);

function nodeHtml({ node, lanes, bars }: ChartNode, chart: Chart): string {
  const height = laneHeight(lanes);
  const drawn = bars.map((bar) => barSvg(bar, chart, height)).join("");
  const name = node === null ? "node not known" : node;
  return `<div class="node"><p>${nameHtml(name)}</p><svg width="100%" height="${lanes * height}" role="img" aria-label="${escapeHtml(`${formatCount(bars.length)} starts on ${name}`)}">${drawn}</svg></div>\n`;
}

function barSvg(bar: ChartBar, { fromMs, toMs }: Chart, height: number): string {
  const { shard, span, lane } = bar;
  const percent = (ms: number) => `${((100 * ms) / Math.max(1, toMs - fromMs)).toFixed(3)}%`;
  const seconds = (bar.toMs - bar.fromMs) / 1_000;
  const says = `shard ${shard}, start ${span.attempt}: ${outcomeOf(bar)}, ${formatDuration(seconds)} from ${span.from}`;
  return `<rect class="${outcomeOf(bar)}" x="${percent(bar.fromMs - fromMs)}" y="${lane * height + 1}" width="${percent(bar.toMs - bar.fromMs)}" height="${height - 2}"><title>${escapeHtml(says)}</title></rect>`;
}

function ticksOf({ fromMs, toMs }: Chart): string {
  const isLong = toMs - fromMs > 86_400_000;
  return Array.from({ length: ticks + 1 }, (_, i) => {
    const at = new Date(fromMs + ((toMs - fromMs) * i) / ticks).toISOString();
    const shown = isLong ? `${at.slice(5, 10)} ${at.slice(11, 16)}` : at.slice(11, 19);
    return `<li>${shown}</li>`;
  }).join("");
}
