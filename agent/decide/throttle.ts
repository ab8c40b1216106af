/** What rclone's requests have met since it was started, in the last seconds. */
export interface Refusals {
  /** rclone's --transfers. */
  transfers: number;
  /** Requests that the store refused by throttling, and those that it took. */
  refused: number;
  taken: number;
  /** Objects that were refused, and are not through since. */
  waiting: number;
  /** How long ago the first of the refusals was. */
  forMs: number;
  /** How long rclone would take to move again what it has under way: it is lost when rclone is stopped. */
  lossMs: number;
}

/** Fewer refusals than these, or a smaller share of the requests, are passing ones: rclone's own waits are enough. */
const refusedMin = 4;

const shareMin = 0.1;

/** How long refusals are looked at before rclone is stopped for them. */
const lookMs = 500;

const lookMsMax = 60_000;

/** Whether so many refusals among so many requests are more than passing ones. */
export function isThrottled({ refused, taken }: { refused: number; taken: number }): boolean {
  return refused >= refusedMin && refused >= shareMin * (refused + taken);
}

/**
 * The --transfers with which rclone is to be started again, or undefined to let it run. Its pacer waits up to two seconds
 * between all requests after some that were refused, and only a new process is rid of that.
 *
 * | the last seconds | then |
 * |---|---|
 * | few refusals, or a small share | run on |
 * | one transfer already | run on: there is nothing to lower, and the waits of the pacer are what helps |
 * | not looked at for half a second, or for a quarter of what it costs to move again what is under way | run on, for now |
 * | as many transfers were refused as wait, or as the share says | so many fewer, whichever leaves more |
 * | no object is named: it is not known how many were taken | half |
 */
export function lowerTo(facts: Refusals): number | undefined {
  const { transfers, refused, taken, waiting } = facts;
  if (transfers <= 1 || !isThrottled(facts)) return undefined;
  if (facts.forMs < Math.min(lookMsMax, Math.max(lookMs, facts.lossMs / 4))) return undefined;
  const half = Math.floor(transfers / 2);
  if (waiting === 0 && taken === 0) return half;
  const byShare = Math.ceil((transfers * taken) / (taken + refused));
  const left = Math.max(byShare, transfers - waiting);
  return Math.max(1, Math.min(left, transfers - Math.max(1, Math.floor(transfers / 4))));
}

/** How far throttling has brought --transfers down, and what is tried to come up again. */
export interface Throttling {
  transfers: number;
  /** The user's --transfers. */
  wanted: number;
  /** What it was raised from, while it is not known whether the store takes more. */
  raisedFrom: number | undefined;
  /** How often a raise was refused, one after the other. */
  refusedRaises: number;
  /** How long rclone has run with these transfers without being throttled. */
  quietMs: number;
}

/** Throttling as an attempt starts with it. */
export function beginThrottling(wanted: number, transfers: number): Throttling {
  return { transfers, wanted, raisedFrom: undefined, refusedRaises: 0, quietMs: 0 };
}

/** Quiet before the first raise, and how long a raise is looked at; where rclone is slow to start, so many starts. */
const quietWanted = { ms: 15_000, starts: 10 };

const raiseLook = { ms: 5_000, starts: 4 };

/** Each raise that is refused doubles the quiet before the next, so many times at most. */
const doublingsMax = 2;

/**
 * How long rclone is to run with the transfers that it has, before they are looked at again; undefined for as long as it
 * has something to do. `random`, in [0, 1), spreads that, so that an array does not come back at once.
 */
export function lookAfterMs(now: Throttling, startMs: number, random: number): number | undefined {
  if (now.transfers >= now.wanted) return undefined;
  if (now.raisedFrom !== undefined) return Math.max(raiseLook.ms, raiseLook.starts * startMs);
  const wanted = Math.max(quietWanted.ms, quietWanted.starts * startMs) * (0.75 + random / 2);
  return Math.max(raiseLook.ms, wanted * 2 ** Math.min(doublingsMax, now.refusedRaises) - now.quietMs);
}

/** How a run of rclone went, as far as throttling is concerned. */
export type RunVerdict =
  /** It was stopped for refusals, and is to be started with so many. */
  | { kind: "refused"; to: number; ranMs: number }
  /** It ran for so long; for as long as it was to when it was cut off. */
  | { kind: "ran"; ranMs: number; cutOff: boolean; throttled: boolean };

/**
 * What follows a run of rclone:
 *
 * | run | --transfers |
 * |---|---|
 * | refused, soon after a raise | as before the raise, or what the store seems to take when that is more; a longer quiet |
 * | refused otherwise | what the store seems to take |
 * | cut off, without refusals | a quarter more, up to the user's; twice as many where the last raise went well |
 * | cut off, with refusals but too few to stop it for | as before the raise; the quiet begins anew |
 * | ended before | the same, and the quiet goes on |
 */
export function afterRun(now: Throttling, run: RunVerdict): Throttling {
  const { raisedFrom, wanted } = now;
  if (run.kind === "refused") {
    const isOfRaise = raisedFrom !== undefined && run.ranMs < quietWanted.ms;
    const transfers = isOfRaise ? Math.max(run.to, raisedFrom) : run.to;
    const refusedRaises = now.refusedRaises + (isOfRaise ? 1 : 0);
    return { transfers, wanted, raisedFrom: undefined, refusedRaises, quietMs: 0 };
  }
  if (now.transfers >= wanted) return now;
  if (run.throttled) {
    const refusedRaises = now.refusedRaises + 1;
    return {
      transfers: raisedFrom ?? now.transfers,
      wanted,
      raisedFrom: undefined,
      refusedRaises,
      quietMs: 0,
    };
  }
  if (!run.cutOff) return { ...now, quietMs: now.quietMs + run.ranMs };
  const transfers = Math.min(wanted, Math.ceil(now.transfers * (raisedFrom === undefined ? 1.25 : 2)));
  return {
    transfers,
    wanted,
    raisedFrom: now.transfers,
    refusedRaises: raisedFrom === undefined ? now.refusedRaises : 0,
    quietMs: 0,
  };
}

/** --transfers after a pass that was throttled: half, and at least one. */
export function lowerTransfers(transfers: number): number {
  return Math.max(1, Math.floor(transfers / 2));
}

/** The longest wait before a throttled task asks for its requeue. */
const throttleWaitSecondsMax = 300;

/**
 * Seconds to wait before a throttled attempt's requeue: 15 times the wait between passes, doubling with each attempt
 * spent, and spread by half to either side (`random` is in [0, 1)), so that an array does not come back at once.
 */
export function throttleWaitSeconds(facts: {
  spent: number;
  passWaitSeconds: number;
  random: number;
}): number {
  const wait = Math.min(throttleWaitSecondsMax, 15 * facts.passWaitSeconds * 2 ** Math.min(facts.spent, 10));
  return wait * (0.5 + facts.random);
}
