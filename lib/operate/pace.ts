/** How fast a run is, and how much is left of it. */
export interface Pace {
  bytesLeft: number;
  objectsLeft: number;
  bytesPerSecond: number;
  objectsPerSecond: number;
  /** The shard under way that takes longest. */
  longest: { shard: number; seconds: number } | undefined;
}

/** The time that a run still takes, and what it is waited for. */
export interface Eta {
  seconds: number;
  by: "bytes" | "objects" | "shard";
  /** The shard that takes longest, where it is waited for. */
  shard: number | null;
}

/**
 * The time that a run still takes: the longest of its bytes, its objects, and the shard under way that takes longest. Null
 * while it is not known: nothing moves, and no shard says how long it takes.
 */
export function etaOf(pace: Pace): Eta | null {
  const seconds = (left: number, rate: number) => (left <= 0 ? 0 : rate > 0 ? left / rate : undefined);
  const times: Eta[] = [];
  const bytes = seconds(pace.bytesLeft, pace.bytesPerSecond);
  const objects = seconds(pace.objectsLeft, pace.objectsPerSecond);
  if (bytes !== undefined) times.push({ seconds: bytes, by: "bytes", shard: null });
  if (objects !== undefined) times.push({ seconds: objects, by: "objects", shard: null });
  if (pace.longest) times.push({ ...pace.longest, by: "shard" });
  const worst = times.reduce<Eta | undefined>(
    (known, one) => (known === undefined || one.seconds > known.seconds ? one : known),
    undefined,
  );
  // Where nothing moves, the nothing that is left of the other measure is no time.
  return worst === undefined || (worst.seconds === 0 && (pace.bytesLeft > 0 || pace.objectsLeft > 0))
    ? null
    : { ...worst, seconds: Math.round(worst.seconds) };
}
