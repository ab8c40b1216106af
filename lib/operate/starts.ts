import type { AttemptState } from "../run/state/attempt.ts";
import type { ShardState } from "./shard-state.ts";

/** The starts of all shards; its names are those of the JSON that is printed. */
export interface Starts {
  /** All starts of agents, one for each log. */
  total: number;
  /** Of each shard's last submission, what ended starts from outside. */
  walltime_stops: number;
  preemptions: number;
  lost_starts: number;
  other_stops: number;
  /** Nodes on which no container came up, and how many shards keep off each. */
  bad_nodes: { node: string; shards: number }[];
}

/**
 * Adds up the .attempt files. Their counters are written when a start begins, so that they lack how the last one ended:
 * its outcome says that, and a start that is "running" without an agent was lost.
 */
export function startsOf(
  shards: Iterable<{ facts: { start: AttemptState | undefined }; state: ShardState }>,
): Starts {
  const starts: Starts = {
    ...{ total: 0, walltime_stops: 0, preemptions: 0, lost_starts: 0, other_stops: 0, bad_nodes: [] },
  };
  const nodes = new Map<string, number>();
  for (const { facts, state } of shards) {
    const { start } = facts;
    if (!start) continue;
    starts.total += start.attempt;
    starts.walltime_stops += start.walltime_stops;
    starts.preemptions += start.preemptions;
    starts.lost_starts += start.lost_starts;
    starts.other_stops += start.other_stops;
    if (start.outcome === "stopped") {
      if (start.stopped_by === "walltime") starts.walltime_stops++;
      else if (start.stopped_by === "preemption") starts.preemptions++;
      else starts.other_stops++;
    } else if (start.outcome === "running" && state !== "running" && state !== "stale" && state !== "done") {
      starts.lost_starts++;
    }
    for (const node of start.bad_nodes) nodes.set(node, (nodes.get(node) ?? 0) + 1);
  }
  starts.bad_nodes = [...nodes].map(([node, count]) => ({ node, shards: count }));
  starts.bad_nodes.sort((a, b) => b.shards - a.shards || (a.node < b.node ? -1 : 1));
  return starts;
}
