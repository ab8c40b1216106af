import type { AttemptState } from "../../lib/run/state/attempt.ts";
import type { StateFile } from "../../lib/run/state/state-file.ts";

/** What a shard's starts of one submission have come to. */
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
>;

/** What the next start of a shard's agent is. */
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

/** The counter that a start which was ended from outside belongs to; no outcome at all is a lost start. */
const counterOf = { walltime: "walltime_stops", preemption: "preemptions", other: "other_stops" } as const;

/** How many starts of a submission may end before they got to copy without spending an attempt. */
const earlyStopsMax = 10;

/**
 * Decides how a shard starts, from what its .attempt says of the start before:
 *
 * | before | counts as |
 * |---|---|
 * | none, unreadable | the first attempt |
 * | another submission | a new budget: nothing spent |
 * | failed, and its .fail is final | no start: a neighbour's requeue does not try it again |
 * | failed | one attempt spent |
 * | no container started on the node, and there are others | nothing spent |
 * | stopped by a signal, or no outcome (killed, node gone), with progress | nothing spent, --max-restarts times at most |
 * | the same without progress, before it got to copy | nothing spent, 10 times at most, and --max-restarts times with those above |
 * | the same without progress, although it got to copy | one attempt spent |
 * | done (but its .done is gone or of another digest) | nothing spent |
 */
export function decideStart(
  before: StateFile<AttemptState>,
  now: {
    submission: string;
    maxAttempts: number;
    maxRestarts: number;
    proven: number;
    /** Whether there is a .fail of this submission that says it is final. */
    finalFail: boolean;
  },
): StartDecision {
  if (before.kind !== "value") return { kind: "start", attempt: 1, counters: nothingYet };
  const { attempt, submission, outcome, stopped_by: cause, proven_at_start: provenBefore } = before.value;
  if (submission !== now.submission) return { kind: "start", attempt: attempt + 1, counters: nothingYet };
  if (outcome === "failed" && now.finalFail) return { kind: "failed-already", attempt };
  const { spent, walltime_stops, preemptions, lost_starts, other_stops, early_stops } = before.value;
  const { bad_nodes, transfers } = before.value;
  const stops = { walltime_stops, preemptions, lost_starts, other_stops };
  const counters = { spent, ...stops, early_stops, bad_nodes, transfers };
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
