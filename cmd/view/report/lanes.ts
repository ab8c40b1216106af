import type { ReportShard, ReportSpan } from "../../../lib/operate/report/schema.ts";

/** A start of a shard on the chart of shards over time. */
export interface ChartBar {
  shard: number;
  span: ReportSpan;
  fromMs: number;
  toMs: number;
  /** Bars of one lane do not overlap. */
  lane: number;
}

/** The starts that ran on one node, in as many lanes as ran at a time. */
export interface ChartNode {
  /** Null for starts whose node is not known. */
  node: string | null;
  lanes: number;
  bars: ChartBar[];
}

/** All bars of a chart, and the time from its left to its right side, in milliseconds of the clock. */
export interface Chart {
  fromMs: number;
  toMs: number;
  nodes: ChartNode[];
  /** How many starts are not on it: of more than `barsMax` the shortest. */
  left: number;
}

const barsMax = 20_000;

/**
 * The chart of shards over time: a row for each node, by name, those of no known node last. In a row each start takes the
 * first lane that is free when it begins.
 */
export function chartOf(shards: readonly ReportShard[], most = barsMax): Chart {
  const all = shards.flatMap(({ shard, spans }) =>
    spans.map((span): ChartBar => {
      const [fromMs, toMs] = [Date.parse(span.from), Date.parse(span.to)];
      return { shard, span, fromMs, toMs, lane: 0 };
    }),
  );
  const shown =
    all.length <= most
      ? all
      : [...all].sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs)).slice(0, most);
  const byNode = Map.groupBy(shown, ({ span }) => span.node);
  const nodes = [...byNode].map(([node, bars]) => ({ node, ...laid(bars) }));
  nodes.sort((a, b) => order(a.node, b.node));
  let [fromMs, toMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const bar of shown) {
    fromMs = Math.min(fromMs, bar.fromMs);
    toMs = Math.max(toMs, bar.toMs);
  }
  return shown.length === 0
    ? { fromMs: 0, toMs: 0, nodes: [], left: 0 }
    : { fromMs, toMs, nodes, left: all.length - shown.length };
}

function order(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return a.localeCompare(b, "en", { numeric: true });
}

/** Gives bars their lanes. */
function laid(bars: readonly ChartBar[]): { lanes: number; bars: ChartBar[] } {
  const ends: number[] = [];
  const sorted = bars.toSorted((a, b) => a.fromMs - b.fromMs || a.shard - b.shard);
  const placed = sorted.map((bar) => {
    const free = ends.findIndex((end) => end <= bar.fromMs);
    const lane = free === -1 ? ends.length : free;
    ends[lane] = bar.toMs;
    return { ...bar, lane };
  });
  return { lanes: ends.length, bars: placed };
}
