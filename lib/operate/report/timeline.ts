import type { RunEvent } from "../../run/events.ts";
import type { SubmittedJob } from "../../run/submissions.ts";
import { formatCount, formatShards } from "../../system/units.ts";
import { isoTime } from "./iso-time.ts";
import type { ReportShard, TimelineEntry } from "./schema.ts";

/** A fault of a shard, or another entry of the timeline that the state of a shard tells. */
export const faultsMax = 500;
const eventsMax = 1_000;

/** Something that happened once in a run, by a time that a file of it names. */
export interface Milestone {
  at: string | null | undefined;
  what: string;
  detail: string;
}

const entryOf = (entry: Partial<TimelineEntry> & Pick<TimelineEntry, "at" | "what">): TimelineEntry => ({
  ...{ shard: null, node: null, by: null, jobs: [], detail: "" },
  ...entry,
});

/**
 * What happened to a run, oldest first. A submission of which an event tells too is told once, by the event. Entries
 * without a time are left out. Of more than 1,000 events the last ones are told; `more` says how many are not.
 */
export function timelineOf(run: {
  milestones: readonly Milestone[];
  submissions: readonly SubmittedJob[];
  events: readonly RunEvent[];
  /** What the shards' state tells, at most `faultsMax` entries, and how many more there are. */
  faults: readonly TimelineEntry[];
  moreFaults: number;
}): { timeline: TimelineEntry[]; more: number } {
  const events = run.events.slice(-eventsMax);
  const named = new Set(run.events.flatMap(({ jobs }) => jobs));
  const submissions = run.submissions.slice(-eventsMax).filter(({ job_id: id }) => !named.has(id));
  const entries = [
    ...run.milestones.map(({ at, what, detail }) => entryOf({ at: at ?? "", what, detail })),
    ...submissions.map(({ submitted_at: at, job_id, kind, num_shards, num_tasks }) =>
      entryOf({
        ...{ at, what: "submitted", jobs: [job_id] },
        detail: `${kind === "copy" ? "" : `${kind}: `}${formatShards(num_shards)} in ${formatCount(num_tasks)} ${num_tasks === 1 ? "task" : "tasks"}`,
      }),
    ),
    ...events.map(({ at, action, by, jobs, detail }) => entryOf({ at, what: action, by, jobs, detail })),
    ...run.faults,
  ].flatMap((entry) => {
    const at = isoTime(entry.at);
    return at === null ? [] : [{ ...entry, at }];
  });
  return {
    timeline: entries.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)),
    more: run.events.length - events.length + run.moreFaults,
  };
}

/** What the last start of a shard and those before it tell. */
interface ShardFaults {
  shard: ReportShard;
  stoppedBy: string | null;
  badNodes: readonly string[];
  counts: { lost_starts: number; walltime_stops: number; preemptions: number; other_stops: number };
}

/**
 * What went wrong with a shard:
 *
 * | its state | entry, and its time |
 * |---|---|
 * | a .fail | failed: class and message; when it was written |
 * | the last start was stopped | stopped: by what; its last sign of life |
 * | starts before were lost, stopped or on bad nodes | restarted: how many of each; when its last start began |
 */
export function faultsOf({ shard, stoppedBy, badNodes, counts }: ShardFaults): TimelineEntry[] {
  const { shard: number, node } = shard;
  const entries: TimelineEntry[] = [];
  const told = [
    [counts.lost_starts, "lost"],
    [counts.walltime_stops, "stopped by the time limit"],
    [counts.preemptions, "preempted"],
    [counts.other_stops, "stopped"],
  ] as const;
  const before = told.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : []));
  if (badNodes.length > 0) before.push(`no container on ${badNodes.join(", ")}`);
  const lastStart = shard.spans.at(-1)?.from;
  if (before.length > 0 && lastStart !== undefined) {
    const detail = `starts before: ${before.join("; ")}`;
    entries.push(entryOf({ at: lastStart, what: "restarted", shard: number, node, detail }));
  }
  const lastSign = shard.ended_at ?? shard.spans.at(-1)?.to;
  if (shard.state === "failed" && lastSign !== undefined) {
    const detail = `${shard.class ?? "unknown"}: ${shard.message ?? ""}`;
    entries.push(entryOf({ at: lastSign, what: "failed", shard: number, node, detail }));
  } else if (shard.state === "stopped" && lastSign !== undefined) {
    const detail = stoppedBy === null ? "no container came up" : `by ${stoppedBy}`;
    entries.push(entryOf({ at: lastSign, what: "stopped", shard: number, node, detail }));
  }
  return entries;
}
