import { readLogLine } from "../../rclone/log.ts";
import type { LogFile, LogFilter } from "./log-files.ts";

/** What a line of a log says, and whose it is. */
export interface LogEntry {
  /** In milliseconds of the clock; null for a line that tells no time. */
  timeMs: number | null;
  shard: number | null;
  attempt: number | null;
  /** rclone, xfer's agent, or what else prints there: Slurm, srun, a container, a shell. */
  from: "rclone" | "xfer" | "other";
  level: "error" | "warning" | "info" | "debug";
  /** rclone's statistics, which come every 2 s. */
  isStats: boolean;
  object: string | null;
  message: string;
  /** The file's name in logs/. */
  file: string;
}

/** The words of rclone's levels, in both of its generations. A request that rclone repeats counts as a warning. */
const levels: Readonly<Record<string, LogEntry["level"]>> = {
  debug: "debug",
  info: "info",
  notice: "warning",
  warning: "warning",
  error: "error",
  critical: "error",
  fatal: "error",
  panic: "error",
};

/**
 * Reads a line of a log:
 *
 * | line | from | level |
 * |---|---|---|
 * | JSON, whose message begins with `xfer: ` | xfer | its own |
 * | other JSON of rclone's | rclone | its own; warning for a request that is made again |
 * | `<time> [error: ]...` in the output of an agent | xfer | as it says |
 * | any other, a torn one too | other | error where it is known for one; info |
 */
export function logEntryOf(line: string, file: LogFile): LogEntry {
  const base = {
    ...{ file: file.name, isStats: false, object: null, timeMs: null },
    shard: file.kind === "task" ? null : file.shard,
    attempt: file.kind === "shard" ? file.attempt : null,
  };
  if (file.kind !== "shard") {
    const said = agentEntry(line);
    if (said) return { ...base, ...said };
  }
  const { said, event } = readLogLine(line);
  if (!said) {
    const level = event.kind === "error" ? "error" : "info";
    return { ...base, from: "other", level, message: line.trimEnd() };
  }
  const isOurs = said.message.startsWith("xfer: ");
  const time = said.time === undefined ? Number.NaN : Date.parse(said.time);
  return {
    ...base,
    timeMs: Number.isNaN(time) ? null : time,
    from: isOurs ? "xfer" : "rclone",
    level: event.kind === "retry" ? "warning" : (levels[said.level] ?? "info"),
    isStats: event.kind === "stats",
    object: said.object ?? null,
    message: isOurs ? said.message.slice("xfer: ".length) : said.message,
  };
}

/** A message that an agent has printed on its stderr: the time, the level where it is one, and whose shard it is about. */
function agentEntry(
  line: string,
): (Partial<LogEntry> & Pick<LogEntry, "from" | "level" | "message">) | undefined {
  const [, at, level, text] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?:(warning|error): )?(.*)$/s.exec(Bun.stripANSI(line)) ?? [];
  if (at !== undefined) {
    const said = { from: "xfer", level: level === undefined ? "info" : level, message: text ?? "" } as const;
    return { ...said, timeMs: Date.parse(at), ...ofShard(said.message) } as ReturnType<typeof agentEntry>;
  }
  // What ends an agent has no time.
  const [, last] = /^xfer: (.*)$/s.exec(line) ?? [];
  return last === undefined ? undefined : { from: "xfer", level: "error", message: last, ...ofShard(last) };
}

function ofShard(message: string): Partial<Pick<LogEntry, "shard" | "attempt">> {
  const [, shard, attempt] = /^shard (\d{1,9}): (?:attempt (\d{1,9}): )?/.exec(message) ?? [];
  if (shard === undefined) return {};
  return { shard: Number(shard), ...(attempt !== undefined && { attempt: Number(attempt) }) };
}

/**
 * Whether a line is shown:
 *
 * | line | all | errors alone |
 * |---|---|---|
 * | of another shard or attempt than the wanted ones | no | no |
 * | of no known attempt, where one is wanted | no | no |
 * | statistics, and what rclone says at DEBUG | no | no |
 * | an error | yes | yes |
 * | any other | yes | no |
 */
export function isShown(entry: LogEntry, { shard, attempt, errorsOnly }: LogFilter): boolean {
  if (shard !== undefined && entry.shard !== null && entry.shard !== shard) return false;
  if (attempt !== undefined && entry.attempt !== attempt) return false;
  if (entry.isStats || entry.level === "debug") return false;
  return !errorsOnly || entry.level === "error";
}

const debugLevel = /"level":"debug"/;
const errorLevel = /"level":"(?:error|critical|fatal|panic)"/;

/** Whether a line of the log of a shard could be one that is shown: most are not, and need not be parsed. */
export function couldBeShown(line: string, { errorsOnly }: Pick<LogFilter, "errorsOnly">): boolean {
  if (!line.startsWith("{")) return true;
  if (errorsOnly) return errorLevel.test(line);
  return !debugLevel.test(line) || line.includes("low level retry");
}
