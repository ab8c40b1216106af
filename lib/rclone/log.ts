import * as v from "valibot";

const statsSchema = v.object({
  bytes: v.number(),
  errors: v.number(),
  speed: v.number(),
  eta: v.nullish(v.number()),
  transfers: v.number(),
  checks: v.optional(v.number(), 0),
  // Only newer versions of rclone count these.
  listed: v.optional(v.number(), 0),
  updatedDirs: v.optional(v.number(), 0),
  serverSideCopyBytes: v.optional(v.number(), 0),
  transferring: v.nullish(v.array(v.looseObject({ name: v.string() }))),
  checking: v.nullish(v.array(v.string())),
});

const lineSchema = v.object({
  level: v.string(),
  msg: v.string(),
  time: v.optional(v.string()),
  object: v.optional(v.string()),
  stats: v.optional(v.unknown()),
});

/** Fast path for the usual line, which needs no schema. Any other line is checked by the schema. */
function isPlainLine(value: unknown): value is v.InferOutput<typeof lineSchema> {
  if (typeof value !== "object" || value === null) return false;
  const { level, msg, object }: { [name in keyof v.InferOutput<typeof lineSchema>]?: unknown } = value;
  return typeof level === "string" && typeof msg === "string" && typeof object === "string";
}

/** The running totals of one rclone process. */
export interface RcloneStats {
  bytes: number;
  errors: number;
  /** Bytes a second. */
  speed: number;
  /** Seconds left; null when rclone does not know. */
  eta: number | null;
  transfers: number;
  /** The sum of all counters, bytes and errors among them; it changes when any of them does. */
  done: number;
  /** The objects that rclone transfers or compares at this moment. */
  inFlight: string[];
}

/** The meaning of one line of rclone's log. */
export type LogEvent =
  | { kind: "copied"; object: string }
  | { kind: "unchanged"; object: string }
  | { kind: "object-error"; object: string; message: string }
  /** rclone repeats a request. The pacer, which slows requests of any kind down, names no object. */
  | { kind: "retry"; object: string | undefined; message: string }
  | { kind: "error"; message: string }
  | { kind: "stats"; stats: RcloneStats }
  | { kind: "debug" }
  | { kind: "other" };

/**
 * Messages which mean that an object is at the destination, whole. rclone's fs/operations/copy.go writes them after it has
 * compared the two ends: "Copied (new)", "Multi-thread Copied (replaced existing)", "Copied (server-side copy)". Newer
 * versions put a size or " to: NAME" after the parenthesis.
 */
const copied = /^(?:Multi-thread )?Copied \((?:Rcat, )?(?:new|replaced existing|server-side copy)/;

/**
 * A request that failed and is made again, as rclone says it at DEBUG. "low level retry 1/1 (error SlowDown: ...)" comes
 * from its pacer (fs/pacer.go), "Received error: SlowDown: ... - low level retry 1/20" from the copy of an object
 * (fs/operations). One refused upload gives a line of each kind.
 */
const pacerRetry = /^low level retry \d+\/\d+ \(error (.*)\)$/s;
const objectRetry = /^Received error: (.*) - low level retry \d+\/\d+$/s;

/** The last words of an rclone that cannot even start, which it prints without JSON. */
const plainFailure =
  /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (?:Failed to |Fatal error: |CRITICAL: |ERROR ?: |NOTICE: )/;

/** A DEBUG line, which rclone prints at -vv, in either form of its log. */
export const debugLine = /^\S+ \S+ DEBUG : |"level":"debug"/;

/** Reads one line of the log of `rclone --use-json-log`, or a line that srun or a container prints beside it. */
export function parseLogLine(line: string): LogEvent {
  const value = jsonOf(line);
  if (value === undefined) return plainEvent(line);
  return isPlainLine(value) || v.is(lineSchema, value) ? eventOf(value) : { kind: "other" };
}

/** A line of a log with all that is in it. Without `said`, it is no line of rclone's JSON log. */
export interface LogLine {
  event: LogEvent;
  said: { level: string; message: string; object: string | undefined; time: string | undefined } | undefined;
}

/** Reads a line as parseLogLine does, with its level, its words and its time beside its meaning. */
export function readLogLine(line: string): LogLine {
  const value = jsonOf(line);
  if (value === undefined) return { event: plainEvent(line), said: undefined };
  if (!v.is(lineSchema, value)) return { event: { kind: "other" }, said: undefined };
  const { level, msg: message, object, time } = value;
  return { event: eventOf(value), said: { level, message, object, time } };
}

function jsonOf(line: string): unknown {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function eventOf(value: v.InferOutput<typeof lineSchema>): LogEvent {
  const { level, msg, object } = value;
  if (value.stats !== undefined) {
    const stats = v.safeParse(statsSchema, value.stats);
    return stats.success ? { kind: "stats", stats: statsOf(stats.output) } : { kind: "other" };
  }
  if (level === "error" || level === "critical" || level === "fatal") {
    return object === undefined
      ? { kind: "error", message: msg }
      : { kind: "object-error", object, message: msg };
  }
  if (object !== undefined && copied.test(msg)) return { kind: "copied", object };
  if (level !== "debug") return { kind: "other" };
  if (object !== undefined && /^Unchanged skipping/.test(msg)) return { kind: "unchanged", object };
  return retryEvent(msg, object) ?? { kind: "debug" };
}

function retryEvent(msg: string, object: string | undefined): LogEvent | undefined {
  const ofPacer = pacerRetry.exec(msg)?.[1];
  if (ofPacer !== undefined) return { kind: "retry", object: undefined, message: ofPacer };
  const ofObject = objectRetry.exec(msg)?.[1];
  return ofObject === undefined ? undefined : { kind: "retry", object, message: ofObject };
}

function statsOf(said: v.InferOutput<typeof statsSchema>): RcloneStats {
  const { bytes, errors, speed, eta, transfers, transferring, checking } = said;
  const done =
    bytes + errors + transfers + said.checks + said.listed + said.updatedDirs + said.serverSideCopyBytes;
  const inFlight = [...(transferring ?? []).map(({ name }) => name), ...(checking ?? [])];
  return { bytes, errors, speed, eta: eta ?? null, transfers, done, inFlight };
}

function plainEvent(line: string): LogEvent {
  const text = line.trim();
  if (plainFailure.test(text)) return { kind: "error", message: text.replace(/^\S+ \S+ /, "") };
  if (/^(?:srun|slurmstepd|apptainer|FATAL|pyxis)\b.*(?:error|fatal|:)/i.test(text)) {
    return { kind: "error", message: text };
  }
  return { kind: "other" };
}
