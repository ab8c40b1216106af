import type { RootKind } from "../../lib/rclone/root.ts";

/** How long rclone may show nothing of one kind before it counts as hung, in milliseconds. */
export interface SilenceLimits {
  /** No line at all, before its first: the container may have to pull and unpack an image. */
  unheardMs: number;
  /** No line at all, after its first: it prints statistics every 2 s, whatever its transfers do. */
  silentMs: number;
  /** Statistics that say that nothing is under way and nothing was done. */
  idleMs: number;
  /** Statistics that say that something is under way, but that nothing comes of it. */
  stuckMs: number;
}

/** What the limits of one start of rclone rest on. */
export interface SilenceFacts {
  /** Objects of this start. */
  records: number;
  /** The largest of them. */
  largestBytes: number;
  source: RootKind;
  dest: RootKind;
  /** Whether rclone looks each object up at the source before the first transfer: not with --s3-no-head-object. */
  looksAtSource: boolean;
  /** Whether it looks each object up at the destination too. */
  looksAtDest: boolean;
  /** rclone's --checkers: how many look-ups go on side by side. */
  checkers: number;
  /** rclone's --tpslimit, requests a second; 0 for none. */
  tpsLimit: number;
}

const minuteMs = 60_000;
/** What one look-up may take, generously: an lstat of a loaded parallel file system, a HEAD, a round trip of SFTP. */
const lookUpMs: Record<RootKind, number> = { posix: 40, s3: 200, other: 400 };
/** The slowest that one object may be read or copied on a server without a sign of it: 10 MB/s. */
const slowestBytesPerMs = 10_000;

/**
 * How long rclone may show nothing. The look-ups of rclone 1.60 (an lstat or a HEAD for each object, all of them before
 * the first transfer, `checkers` side by side) do not show in its statistics, which then say for all that time that
 * nothing is under way: so idleness may last a minute and the time of the look-ups, which is the larger of
 * records * lookUpMs / checkers and records / tpsLimit, at each side that is looked at. Hashing or copying one object on
 * a server shows as one that is under way, without a byte: that may last an hour and the time of the largest object.
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

/** The limits of one start, from the words that rclone is given and the environment. */
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

/** The numbers of a user's rclone flags, or of the environment, on which its look-ups depend. */
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
