import type { PlacedEntry } from "../../lib/operate/logs/log-cursor.ts";
import type { ObjectStory } from "../../lib/operate/logs/object-story.ts";
import { formatBytes, formatCount } from "../../lib/system/units.ts";
import { visibleText } from "../../lib/system/visible-text.ts";

const colors: Readonly<Record<string, string>> = { error: "\x1b[31m", warning: "\x1b[33m" };

/**
 * A line of a log for people: when, whose, how bad where it is, about which object, and the words. A line that tells no time
 * has that of the line before it.
 */
export function logLine(entry: PlacedEntry, { isColored = false, showsShard = true } = {}): string {
  const { shard, attempt, level, object } = entry;
  const at = entry.atMs > 0 ? new Date(entry.atMs).toISOString() : "-".padEnd(24);
  const whose = [
    ...(showsShard && shard !== null ? [`shard ${shard}`] : []),
    ...(attempt === null ? [] : [`attempt ${attempt}`]),
  ].join(" ");
  const color = isColored ? colors[level] : undefined;
  const said = level === "error" || level === "warning" ? `${level}: ` : "";
  const badness = color === undefined ? said : `${color}${said.trimEnd()}\x1b[39m `;
  const about = object === null ? "" : `${visibleText(object)}: `;
  return `${at} ${whose === "" ? "" : `${whose}: `}${badness}${about}${messageText(entry)}\n`;
}

/** rclone's messages have several lines, and an agent's begin with what is said of the line already. */
function messageText({ message, shard, attempt }: PlacedEntry): string {
  const start = `shard ${shard}: ${attempt === null ? "" : `attempt ${attempt}: `}`;
  const own = message.startsWith(start) ? message.slice(start.length) : message;
  return visibleText(own.trim().replace(/\s*\n\s*/g, " "));
}

/** A line of a log as JSON, schema xfer.log.v1. */
export function logJson({ timeMs, shard, attempt, from, level, object, message, file }: PlacedEntry) {
  const time = timeMs === null ? null : new Date(timeMs).toISOString();
  return { schema: "xfer.log.v1", time, shard, attempt, from, level, object, message, file } as const;
}

/** All that a run knows of an object, for people. */
export function objectText(story: ObjectStory, { isColored = false } = {}): string {
  const row = (name: string, text: string) => `${name.padEnd(10)}${text}\n`;
  const { size, mtime } = story.record;
  const what = [
    typeof size === "number" ? formatBytes(size) : "",
    typeof mtime === "string" ? `modified ${visibleText(mtime)}` : "",
  ].filter((word) => word !== "");
  const rows = [
    row("object", visibleText(story.key)),
    row("record", [placeText(story), ...what].join(", ")),
    ...(story.place === "shard" ? [row("proof", proofText(story))] : []),
  ];
  const { fail, verified, lines, more_lines: more } = story;
  if (fail) rows.push(row("failed", `attempt ${fail.attempt}: ${fail.class}: ${visibleText(fail.message)}`));
  rows.push(row("verified", verifiedText(verified)));
  if (story.place === "shard") rows.push(lines.length === 0 ? row("log", "no line is about it") : "log\n");
  for (const line of lines) rows.push(`  ${logLine(line, { isColored, showsShard: false })}`);
  if (more > 0) rows.push(`  and ${formatCount(more)} more lines\n`);
  return rows.join("");
}

function placeText({ place, shard, index, record }: ObjectStory): string {
  if (place === "shard") return `record ${index} of shard ${shard}`;
  if (place === "unchanged")
    return "in the manifest and in no shard: found the same at the destination by --delta";
  return `untransferable: ${visibleText(String(record.reason ?? ""))}`;
}

function proofText({ proof, shard, shard_state: state }: ObjectStory): string {
  const known = {
    copied: "copied by rclone",
    unchanged: "found identical at the destination",
    none: "none: it is not proven",
  };
  const stands = { done: "is done", failed: "has failed", unfinished: "has not ended" };
  return `${known[proof ?? "none"]}; shard ${shard} ${stands[state ?? "unfinished"]}`;
}

function verifiedText(verified: ObjectStory["verified"]): string {
  if (!verified) return "no";
  const { verdict, reason, at } = verified;
  return `${verdict}${reason === null ? "" : `: ${visibleText(reason)}`}${at === null ? "" : ` (${at})`}`;
}

/** All that a run knows of an object, schema xfer.object.v1. */
export function objectJson(story: ObjectStory) {
  return { ...story, lines: story.lines.map(logJson) };
}
