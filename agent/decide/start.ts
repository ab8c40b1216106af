import type { AttemptState, PastSubmissions, StopCause } from "../../lib/run/state/attempt.ts";
import type { StateFile } from "../../lib/run/state/state-file.ts";

/** The counters of a shard's starts in one submission. */
export type StartCounters = Pick<
  AttemptState,
  | "spent"
  | "walltime_stops"
  | "preemptions"
  | "lost_starts"
  | "other_stops"
  | "early_stops"
  | "bad_nodes"
  | "transfers"
  | "past"
>;

/** Whether a shard starts again, and as which attempt. */
export type StartDecision =
  | { kind: "start"; attempt: number; counters: StartCounters }
  | { kind: "budget-spent"; attempt: number; spent: number }
  | { kind: "failed-already"; attempt: number };

const nothingYet: StartCounters = {
  spent: 0,
  walltime_stops: 0,
  preemptions: 0,
  lost_starts: 0,
  other_stops: 0,
  early_stops: 0,
  bad_nodes: [],
  transfers: null,
};

/** The counter of a start that was ended from outside, by its cause. A start without any outcome is a lost start. */
const counterOf = { walltime: "walltime_stops", preemption: "preemptions", other: "other_stops" } as const;

/** How many starts of a submission may end before they got to copy, and spend no attempt. */
const earlyStopsMax = 10;

/**
 * Decides whether a shard starts again, and what that costs, from the start before as .attempt tells it:
 *
 * | start before | then |
 * |---|---|
 * | none, or unreadable | the first attempt |
 * | of another submission | a new budget: nothing spent; what was spent is in the past |
 * | failed, and its .fail is final | no start: the requeue of a task for its other shards does not try this one again |
 * | failed | one attempt spent |
 * | no container started on the node, and there are other nodes | nothing spent |
 * | stopped by a signal, or without an outcome (killed, node gone), with progress | nothing spent, at most --max-restarts times |
 * | ended like that without progress, before it got to copy | nothing spent, at most 10 times, and at most --max-restarts times together with the row above |
 * | ended like that without progress, although it got to copy | one attempt spent |
 * | done (but its .done is gone or of another digest) | nothing spent |
 */
export function decideStart(
  before: StateFile<AttemptState>,
  now: {
    submission: string;
    maxAttempts: number;
    maxRestarts: number;
    proven: number;
    /** Whether the shard has a .fail that says it is final. */
    finalFail: boolean;
  },
): StartDecision {
  if (before.kind !== "value") return { kind: "start", attempt: 1, counters: nothingYet };
  const { attempt, submission, outcome, stopped_by: cause, proven_at_start: provenBefore } = before.value;
  if (submission !== now.submission) {
    return { kind: "start", attempt: attempt + 1, counters: { ...nothingYet, past: pastOf(before.value) } };
  }
  if (outcome === "failed" && now.finalFail) return { kind: "failed-already", attempt };
  const { spent, walltime_stops, preemptions, lost_starts, other_stops, early_stops } = before.value;
  const { bad_nodes, transfers, past } = before.value;
  const stops = { walltime_stops, preemptions, lost_starts, other_stops };
  const counters = { spent, ...stops, early_stops, bad_nodes, transfers, ...(past && { past }) };
  if (outcome === "stopped" || outcome === "running") {
    counters[outcome === "running" ? "lost_starts" : counterOf[cause ?? "other"]]++;
    const restarts = walltime_stops + preemptions + lost_starts + other_stops;
    const progressed = now.proven > provenBefore;
    const isEarly = !progressed && before.value.got_to_copy === false;
    if (isEarly) counters.early_stops++;
    const isFree = progressed || (isEarly && early_stops < earlyStopsMax);
    if (!isFree || restarts >= now.maxRestarts) counters.spent++;
  } else if (outcome === "failed") {
    counters.spent++;
  }
  if (counters.spent >= now.maxAttempts) return { kind: "budget-spent", attempt, spent: counters.spent };
  return { kind: "start", attempt: attempt + 1, counters };
}

type CounterNames = Partial<Record<StopCause, "walltime_stops" | "preemptions" | "other_stops">>;

/** The past of a shard whose last start in its submission was this one: the past before it, and what that submission took. */
function pastOf({ past, spent, outcome, stopped_by: cause, ...last }: AttemptState): PastSubmissions {
  const sum: PastSubmissions = {
    submissions: (past?.submissions ?? 0) + 1,
    attempts: (past?.attempts ?? 0) + spent + (outcome === "failed" ? 1 : 0),
    walltime_stops: (past?.walltime_stops ?? 0) + last.walltime_stops,
    preemptions: (past?.preemptions ?? 0) + last.preemptions,
    lost_starts: (past?.lost_starts ?? 0) + last.lost_starts,
    other_stops: (past?.other_stops ?? 0) + last.other_stops,
  };
  if (outcome === "running") sum.lost_starts++;
  // A cause that has no counter costs nothing.
  const counter = outcome === "stopped" ? (counterOf as CounterNames)[cause ?? "other"] : undefined;
  if (counter !== undefined) sum[counter]++;
  return sum;
}
