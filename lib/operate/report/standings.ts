import type { AttemptState } from "../../run/state/attempt.ts";
import type { ProgressState } from "../../run/state/progress.ts";
import type { Sample } from "../../run/state/samples.ts";
import type { ReportSpan } from "./schema.ts";
import type { Standing } from "./throughput.ts";

/** What is known of a shard over time. */
export interface ShardHistory {
  records: number;
  bytes: number;
  samples: readonly Sample[];
  attempt: AttemptState | undefined;
  progress: ProgressState | undefined;
  /** How the shard ended. */
  end: ShardEnd | undefined;
}

interface ShardEnd {
  at: string;
  attempt: number;
  node: string;
  objects: number;
  bytes: number;
  outcome: "done" | "failed";
}

/** Times outside of these, in milliseconds of the clock, are a torn file's or a wrong clock's, and do not count. */
export interface TimeLimits {
  fromMs: number;
  toMs: number;
}

/**
 * How a shard stood over time, oldest first:
 *
 * | from | standing |
 * |---|---|
 * | the start of its first attempt | nothing is proven |
 * | the start of a later attempt | what the last sample before it says; without one, by the part that was proven |
 * | each sample | as it says |
 * | its progress, where it has not ended | as it says, with what is in flight |
 * | its end | what is proven |
 */
export function standingsOf(history: ShardHistory, limits: TimeLimits): Standing[] {
  const { samples, attempt, progress, end, records, bytes } = history;
  const isInside = ({ atMs }: Standing) => atMs >= limits.fromMs && atMs <= limits.toMs;
  const standings = samples
    .map(({ at, ...sample }): Standing => ({ atMs: Date.parse(at), ...sample }))
    .filter(isInside)
    .sort((a, b) => a.atMs - b.atMs);
  if (attempt) {
    const atMs = Date.parse(attempt.started_at);
    const before = standings.findLast((one) => one.atMs <= atMs);
    const part = records > 0 ? attempt.proven_at_start / records : 0;
    const start = before ?? { objects: attempt.proven_at_start, bytes: Math.round(bytes * part) };
    const { objects, bytes: startBytes } = start;
    standings.push({
      ...{ atMs, attempt: attempt.attempt, objects, bytes: startBytes, errors: 0, throttled: 0 },
    });
  }
  if (end) {
    const { attempt: number, objects, bytes: endBytes } = end;
    const last = standings.findLast((one) => one.attempt === number);
    const { errors = 0, throttled = 0 } = last ?? {};
    standings.push({
      ...{ atMs: Date.parse(end.at), attempt: number, objects, bytes: endBytes, errors, throttled },
    });
  } else if (progress) {
    const { objects_done: objects, attempt: number, errors, throttled } = progress;
    const inAll = progress.bytes_done + progress.bytes_in_flight;
    standings.push({
      ...{ atMs: Date.parse(progress.updated_at), attempt: number, objects, bytes: inAll, errors, throttled },
    });
  }
  return standings.filter(isInside).sort((a, b) => a.atMs - b.atMs);
}

/** How many starts of a shard are told apart at most; of more, the last ones are. */
const spansMax = 20;

/**
 * From when to when the starts of a shard ran, oldest first. Of an earlier start only samples tell, and not its node; a
 * start that ended before its first sample is not among them.
 */
export function spansOf(history: ShardHistory, limits: TimeLimits): ReportSpan[] {
  const { attempt: last, end } = history;
  const byAttempt = new Map<number, { fromMs: number; toMs: number }>();
  for (const { atMs, attempt } of standingsOf(history, limits)) {
    const known = byAttempt.get(attempt);
    if (known) known.toMs = Math.max(known.toMs, atMs);
    else byAttempt.set(attempt, { fromMs: atMs, toMs: atMs });
  }
  return [...byAttempt]
    .sort(([a], [b]) => a - b)
    .slice(-spansMax)
    .map(([attempt, { fromMs, toMs }]) => {
      const isLast = attempt === last?.attempt;
      const ended = attempt === end?.attempt ? end : undefined;
      return {
        attempt,
        node: ended?.node ?? (isLast ? last.node : null),
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        outcome: ended?.outcome ?? (isLast ? last.outcome : null),
      };
    });
}
