/** The outcome of rclone's requests in the last seconds, since it was started. */
export interface Refusals {
  /** rclone's --transfers. */
  transfers: number;
  /** Requests that the store refused by throttling. */
  refused: number;
  /** Requests that the store took. */
  taken: number;
  /** Objects that had a request refused and are not copied since. */
  waiting: number;
  /** How long ago the first of the refusals was. */
  forMs: number;
  /** How long rclone would take to move the bytes again that a stop would lose. */
  lossMs: number;
}

/** For fewer refusals than these rclone's own waits are enough. */
const refusedMin = 4;

/** For a smaller share of refusals among the requests rclone's own waits are enough. */
const shareMin = 0.1;

/** How long refusals are looked at before rclone is stopped for them, at least. */
const lookMs = 500;

/** The same, at most. */
const lookMsMax = 60_000;

/** Whether the refusals are too many for rclone's own waits. */
export function isThrottled({ refused, taken }: { refused: number; taken: number }): boolean {
  return refused >= refusedMin && refused >= shareMin * (refused + taken);
}

/**
 * The --transfers with which rclone is to be started again, or undefined to let it run. After some refusals rclone's pacer
 * waits up to two seconds between all requests, and only a new process is rid of these waits.
 *
 * | the last seconds | then |
 * |---|---|
 * | few refusals, or a small share | run on |
 * | one transfer already | run on: nothing can be lowered, and the pacer's waits help |
 * | refusals for less than half a second, or than a quarter of the time that a stop would lose | run on, for now |
 * | a number of objects wait, and a share of the requests was refused | as many transfers fewer as objects wait, or the share fewer: whichever leaves more |
 * | no object is named, and no request was taken | half |
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

/** How far throttling has lowered --transfers, and how far the attempts to raise them have come. */
export interface Throttling {
  transfers: number;
  /** The user's --transfers. */
  wanted: number;
  /** The --transfers before a raise, while it is not known whether the store takes more; undefined when it is. */
  raisedFrom: number | undefined;
  /** How many raises in a row the store has refused. */
  refusedRaises: number;
  /** How long rclone has copied with these transfers without being throttled. */
  quietMs: number;
}

/** Throttling at the start of an attempt. */
export function beginThrottling(wanted: number, transfers: number): Throttling {
  return { transfers, wanted, raisedFrom: undefined, refusedRaises: 0, quietMs: 0 };
}

/** The quiet before the first raise: the longer of this time and the time of these many starts of rclone. */
const quietWanted = { ms: 15_000, starts: 10 };

/** How long a raise is looked at, in the same way. */
const raiseLook = { ms: 5_000, starts: 4 };

/** Each refused raise doubles the quiet before the next one, at most this many times. */
const doublingsMax = 2;

/**
 * How long rclone runs with its present transfers before these are looked at again; undefined for no limit. `random`, in
 * [0, 1), spreads that time, so that the tasks of an array do not all come back at once.
 */
export function lookAfterMs(now: Throttling, startMs: number, random: number): number | undefined {
  if (now.transfers >= now.wanted) return undefined;
  if (now.raisedFrom !== undefined) return Math.max(raiseLook.ms, raiseLook.starts * startMs);
  const wanted = Math.max(quietWanted.ms, quietWanted.starts * startMs) * (0.75 + random / 2);
  return Math.max(raiseLook.ms, wanted * 2 ** Math.min(doublingsMax, now.refusedRaises) - now.quietMs);
}

/** How one rclone ended, as far as throttling is concerned. */
export type StartVerdict =
  /** rclone was stopped for refusals, and is to be started again with `to` transfers. */
  | { kind: "refused"; to: number; ranMs: number }
  /** rclone ended by itself, or was cut off after the time that bounded it. */
  | { kind: "ran"; ranMs: number; cutOff: boolean; throttled: boolean };

/**
 * How one rclone changes --transfers:
 *
 * | rclone | --transfers |
 * |---|---|
 * | was stopped for refusals, soon after a raise | as before the raise, or the number to start with if that is more; a longer quiet |
 * | was stopped for refusals otherwise | the number to start with |
 * | was cut off, without refusals | a quarter more, up to the user's; twice as many where the last raise went well |
 * | was cut off, with refusals but too few to stop it for | as before the raise; the quiet begins anew |
 * | ended before its time | the same, and the quiet goes on |
 */
export function afterStart(now: Throttling, start: StartVerdict): Throttling {
  const { raisedFrom, wanted } = now;
  if (start.kind === "refused") {
    const isOfRaise = raisedFrom !== undefined && start.ranMs < quietWanted.ms;
    const transfers = isOfRaise ? Math.max(start.to, raisedFrom) : start.to;
    const refusedRaises = now.refusedRaises + (isOfRaise ? 1 : 0);
    return { transfers, wanted, raisedFrom: undefined, refusedRaises, quietMs: 0 };
  }
  if (now.transfers >= wanted) return now;
  if (start.throttled) {
    const refusedRaises = now.refusedRaises + 1;
    return {
      transfers: raisedFrom ?? now.transfers,
      wanted,
      raisedFrom: undefined,
      refusedRaises,
      quietMs: 0,
    };
  }
  if (!start.cutOff) return { ...now, quietMs: now.quietMs + start.ranMs };
  const transfers = Math.min(wanted, Math.ceil(now.transfers * (raisedFrom === undefined ? 1.25 : 2)));
  return {
    transfers,
    wanted,
    raisedFrom: now.transfers,
    refusedRaises: raisedFrom === undefined ? now.refusedRaises : 0,
    quietMs: 0,
  };
}

/** The --transfers after a pass that was throttled: half, and at least one. */
export function lowerTransfers(transfers: number): number {
  return Math.max(1, Math.floor(transfers / 2));
}

/** The longest wait before a throttled task asks for its requeue. */
const throttleWaitSecondsMax = 300;

/**
 * Seconds to wait before a throttled attempt is requeued: 15 times the wait between passes, doubled with each attempt
 * spent, and spread by half to either side (`random` is in [0, 1)), so that the tasks of an array do not come back at once.
 */
export function throttleWaitSeconds(facts: {
  spent: number;
  passWaitSeconds: number;
  random: number;
}): number {
  const wait = Math.min(throttleWaitSecondsMax, 15 * facts.passWaitSeconds * 2 ** Math.min(facts.spent, 10));
  return wait * (0.5 + facts.random);
}
