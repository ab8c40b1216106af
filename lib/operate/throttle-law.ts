/** How many tasks may run at a time: the limit of all arrays of a run together. */
export interface Bounds {
  min: number;
  max: number;
}

/** What is remembered from look to look. */
export interface LimitState {
  limit: number;
  /** How many looks in a row nothing was refused. */
  quiet: number;
  /** How many such looks come before a raise. It doubles when a raise is refused. */
  quietWanted: number;
  /** The limit before the last raise, while it is not known whether the store takes more; undefined when it is. */
  raisedFrom: number | undefined;
}

/** What the heartbeats say since the look before. */
export interface LimitLook {
  /** Requests that the store refused by throttling. */
  refused: number;
  /** Objects that it took. */
  taken: number;
  /** Whether any bytes moved. */
  moved: boolean;
  /** Tasks that run, and tasks that wait for their turn. */
  running: number;
  waiting: number;
  /** Tasks whose rclone works with fewer transfers than the user's. */
  lowered: number;
}

/** What a look comes to; the reason is a sentence for people, undefined where nothing changes. */
export interface LimitStep {
  state: LimitState;
  reason: string | undefined;
}

/** For fewer refusals, or a smaller share of them, the waits of the agents are enough. */
const refusedMin = 4;
const shareMin = 0.05;

/** What is left of the limit when the store refuses. */
const decrease = 0.7;

/** The raise, as a share of the room between the bounds; one task at least. */
const increase = 1 / 16;

/** How many quiet looks come before a raise, and how many at most. */
const quietLooks = 2;
const quietLooksMax = 16;

/** The state at the first look. */
export function beginLimit(limit: number, { min, max }: Bounds): LimitState {
  const within = Math.max(min, Math.min(max, limit));
  return { limit: within, quiet: 0, quietWanted: quietLooks, raisedFrom: undefined };
}

/**
 * How many tasks may run at a time, by additive increase and multiplicative decrease:
 *
 * | since the look before | the limit |
 * |---|---|
 * | refusals, and more tasks run than the limit allows | stays: the last decrease has yet to take effect, since what runs goes on |
 * | refusals soon after a raise | as before the raise, or 0.7 of what runs if that is less; twice as many quiet looks before the next raise |
 * | refusals otherwise | 0.7 of what runs |
 * | few refusals, or a quarter of the tasks copy with fewer transfers | stays, and the quiet begins anew: the agents meet it |
 * | no refusals, as many tasks run as may, and others wait | after some quiet looks a sixteenth of the room between the bounds more |
 * | no refusals, and no bytes moved | stays: nothing was asked of the store that it could refuse |
 * | no refusals otherwise | stays: the limit keeps nothing from running |
 *
 * It never leaves the bounds. A raise that went well brings the number of quiet looks back.
 */
export function nextLimit(state: LimitState, look: LimitLook, bounds: Bounds): LimitStep {
  const { refused, taken, running, waiting, lowered } = look;
  const { limit, raisedFrom } = state;
  const isThrottled = refused >= refusedMin && refused >= shareMin * (refused + taken);
  if (isThrottled && running > limit) return { state: { ...state, quiet: 0 }, reason: undefined };
  if (isThrottled) return lower(state, look, bounds);
  if (refused > 0 || lowered >= Math.max(1, running / 4))
    return { state: { ...state, quiet: 0 }, reason: undefined };
  if (!look.moved) return { state, reason: undefined };
  const quiet = state.quiet + 1;
  const isProven = raisedFrom !== undefined && quiet >= quietLooks && running >= limit;
  const calm: LimitState = isProven
    ? { limit, quiet, quietWanted: Math.max(quietLooks, state.quietWanted / 2), raisedFrom: undefined }
    : { ...state, quiet };
  if (quiet < calm.quietWanted || limit >= bounds.max || running < limit || waiting === 0) {
    return { state: calm, reason: undefined };
  }
  const step = Math.max(1, Math.floor((bounds.max - bounds.min) * increase));
  const to = Math.min(bounds.max, limit + step);
  const reason = `nothing was refused in ${quiet} looks, and ${waiting} tasks wait`;
  return { state: { ...calm, limit: to, quiet: 0, raisedFrom: limit }, reason };
}

function lower(state: LimitState, { refused, taken, running }: LimitLook, { min }: Bounds): LimitStep {
  const { limit, raisedFrom, quietWanted } = state;
  const cut = Math.floor(Math.min(limit, running) * decrease);
  const to = Math.max(min, Math.min(limit, raisedFrom === undefined ? cut : Math.min(raisedFrom, running)));
  const next: LimitState = {
    limit: to,
    quiet: 0,
    quietWanted: raisedFrom === undefined ? quietWanted : Math.min(quietLooksMax, 2 * quietWanted),
    raisedFrom: undefined,
  };
  const percent = Math.round((100 * refused) / (refused + taken));
  const reason = `${refused} of ${refused + taken} requests were refused (${percent}%)`;
  return { state: next, reason: to === limit ? undefined : reason };
}

/** Shares a limit among so many arrays, as evenly as it goes, at least one task each. */
export function sharesOf(limit: number, arrays: number): number[] {
  const each = Math.floor(limit / arrays);
  return Array.from({ length: arrays }, (_, i) => Math.max(1, each + (i < limit % arrays ? 1 : 0)));
}
