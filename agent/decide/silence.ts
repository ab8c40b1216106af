import type { RootKind } from "../../lib/rclone/root.ts";

/** How long rclone may lack one kind of sign before it counts as hung, in milliseconds. */
export interface SilenceLimits {
  /** No line at all before its first one: the container may have to pull and unpack an image. */
  unheardMs: number;
  /** No line at all after its first one: rclone prints statistics every 2 s, whatever its transfers do. */
  silentMs: number;
  /** Statistics in which no object is under way and no object was done. */
  idleMs: number;
  /** Statistics in which objects are under way, but no byte moves and no object is done. */
  stuckMs: number;
}

/** The facts that decide the limits of one rclone. */
export interface SilenceFacts {
  /** How many objects this rclone is given. */
  records: number;
  /** The largest of them. */
  largestBytes: number;
  source: RootKind;
  dest: RootKind;
  /** Whether rclone looks each object up at the source before the first transfer: not with --s3-no-head-object. */
  looksAtSource: boolean;
  /** Whether rclone looks each object up at the destination too. */
  looksAtDest: boolean;
  /** rclone's --checkers: how many look-ups go on side by side. */
  checkers: number;
  /** rclone's --tpslimit, requests a second; 0 for none. */
  tpsLimit: number;
}

const minuteMs = 60_000;
/** A generous time for one look-up: an lstat of a loaded parallel file system, a HEAD, a round trip of SFTP. */
const lookUpMs: Record<RootKind, number> = { posix: 40, s3: 200, other: 400 };
/** The slowest rate at which one object may be hashed or copied on a server without a sign of it: 10 MB/s. */
const slowestBytesPerMs = 10_000;

/**
 * The limits of one rclone. rclone 1.60 looks all objects up before its first transfer, by an lstat or a HEAD each,
 * `checkers` side by side, and its statistics say meanwhile that nothing is under way. Idleness may therefore last a
 * minute and the time of the look-ups. That time is the larger of records * lookUpMs / checkers and records / tpsLimit,
 * for each side that is looked at. An object that a server hashes or copies is under way without a byte that moves: that
 * may last an hour and the time of the largest object.
 *
 * | 1,000 objects, 8 checkers | may be idle for |
 * |---|---|
 * | s3, no look-ups | 60 s |
 * | posix | 65 s |
 * | s3, a HEAD each | 85 s |
 * | other, looked at on both sides | 160 s |
 */
export function silenceLimits(facts: SilenceFacts): SilenceLimits {
  const side = (kind: RootKind, looks: boolean): number => {
    if (!looks) return 0;
    const byLatency = (facts.records * lookUpMs[kind]) / Math.max(1, facts.checkers);
    const byLimit = facts.tpsLimit > 0 && kind !== "posix" ? (facts.records * 1000) / facts.tpsLimit : 0;
    return Math.max(byLatency, byLimit);
  };
  const lookUps = side(facts.source, facts.looksAtSource) + side(facts.dest, facts.looksAtDest);
  return {
    unheardMs: 30 * minuteMs,
    silentMs: minuteMs,
    idleMs: minuteMs + Math.ceil(lookUps),
    stuckMs: 60 * minuteMs + Math.ceil(facts.largestBytes / slowestBytesPerMs),
  };
}

/** The limits of one rclone, from its words and its environment. */
export function silenceLimitsOf(
  facts: Pick<SilenceFacts, "records" | "largestBytes" | "source" | "dest">,
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): SilenceLimits {
  return silenceLimits({
    ...facts,
    looksAtSource: !(facts.source === "s3" && words.includes("--s3-no-head-object")),
    looksAtDest: !words.includes("--no-check-dest"),
    ...lookUpRate(words, env),
  });
}

/** The numbers of rclone's flags, or of its environment, that decide how fast its look-ups are. */
function lookUpRate(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { checkers: number; tpsLimit: number } {
  const numberOf = (name: string): number | undefined => {
    const at = words.findLastIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
    const word = words[at];
    const variable = env[`RCLONE_${name.toUpperCase()}`];
    const text = word === undefined ? variable : word.includes("=") ? word.split("=")[1] : words[at + 1];
    const value = Number(text);
    return text === undefined || text === "" || !Number.isFinite(value) || value <= 0 ? undefined : value;
  };
  return { checkers: numberOf("checkers") ?? 8, tpsLimit: numberOf("tpslimit") ?? 0 };
}
