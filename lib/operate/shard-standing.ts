import type { FailureClass } from "../rclone/failure-class.ts";
import type { FailState } from "../run/state/fail.ts";

/** All classes of failure in a .fail: its own, and those of the objects that it names. */
export const classesIn = ({ class: own, errors }: FailState): ReadonlySet<FailureClass> =>
  new Set([own, ...errors.map(({ class: failure }) => failure)]);

/** What is known of a shard when somebody wants to try it again. */
export interface ShardFacts {
  isDone: boolean;
  /** Whether a task of the queue carries it, or an agent is at work on it. */
  isBusy: boolean;
  /** Its .fail, if that is of this shard's content. */
  fail: { attempt: number; isFinal: boolean } | undefined;
  /** Of what it has failed: by its .fail, or else by the last one that was set aside. */
  classes: ReadonlySet<FailureClass>;
  /** Whether an agent ever started on it. */
  wasStarted: boolean;
}

/** How a shard stands. */
export type Standing = "done" | "busy" | "failed" | "lost" | "unstarted";

/**
 * How a shard stands:
 *
 * | it is done | a task or an agent has it | .fail | .attempt | it is |
 * |---|---|---|---|---|
 * | yes | | | | done |
 * | no | yes | | | busy |
 * | no | no | there | | failed |
 * | no | no | none | there | lost: stopped, cancelled or killed, and nothing goes on with it |
 * | no | no | none | none | unstarted |
 */
export function standingOf({ isDone, isBusy, fail, wasStarted }: ShardFacts): Standing {
  if (isDone) return "done";
  if (isBusy) return "busy";
  if (fail !== undefined) return "failed";
  return wasStarted ? "lost" : "unstarted";
}

/** Which shards are to be tried again; undefined for all that can be. */
export interface RetryFilter {
  shards: ReadonlySet<number> | undefined;
  /** The classes by one of which a shard has to have failed. */
  classes: ReadonlySet<FailureClass> | undefined;
}

/** The shards that are tried again, and those of the filter that somebody is at work on, ascending. */
export interface RetryPick {
  picked: number[];
  busy: number[];
}

/**
 * Picks the shards that are tried again, of a run that was started. With a filter of classes the shard has to have failed by
 * one of them: by its .fail, or by the last that was set aside, of a retry that was stopped.
 *
 * | the shard is | picked |
 * |---|---|
 * | done | no |
 * | busy | no; told where it has a .fail, or is named |
 * | failed, lost, unstarted | yes |
 */
export function pickShards(facts: readonly ShardFacts[], { shards, classes }: RetryFilter): RetryPick {
  const pick: RetryPick = { picked: [], busy: [] };
  facts.forEach((shard, number) => {
    if (shards && !shards.has(number)) return;
    const standing = standingOf(shard);
    if (standing === "done" || (classes?.isDisjointFrom(shard.classes) ?? false)) return;
    if (standing !== "busy") pick.picked.push(number);
    else if (shards || shard.fail) pick.busy.push(number);
  });
  return pick;
}
