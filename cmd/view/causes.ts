import type { FailureClass } from "../../lib/rclone/failure-class.ts";
import { endOf, type FailureCause } from "../../lib/run/causes.ts";
import { formatCount, formatObjects, formatShards } from "../../lib/system/units.ts";

/** Reasons that are shown; the .fail files have all. */
const causesShown = 5;

const ofFiles = /permission denied|not permitted|read-only file system|EACCES|EPERM|EROFS/i;
/** Words of a message that says itself what mends it. */
const saysMend = /: (?:install it|create it|put it|use |render |shard the manifest|submit again|run the )/;

function mendOfAuth(message: string): string {
  if (ofFiles.test(message)) return "run as somebody who may read the source and write to the destination";
  const end = endOf(message);
  const rights =
    end === "source"
      ? "read the source"
      : end === "destination"
        ? "write to the destination"
        : "read the source and write to the destination";
  return `see that the credentials in rclone.conf are valid and may ${rights}`;
}

const mends: Readonly<Record<FailureClass, string>> = {
  auth: "see that the credentials in rclone.conf are valid",
  config: "look at rclone.conf, the names of the buckets and the flags",
  "destination-full": "make room at the destination",
  container: "look at the image, at --runtime and at the nodes that the .fail files name",
  throttled: "lower --transfers or --array-concurrency, or go on later",
  network: "look at the endpoints in rclone.conf and at the way to them, or go on later",
  unknown: "rclone's own words are in the logs of the run directory",
  path: "rename the objects at the source, or what stands in their place at the destination",
  untransferable: "rename the objects at the source",
  missing: "they are gone from the source since it was listed: a new run directory lists it anew",
};

/** What a user can do about a reason; undefined where its message says it, and where only the agent's words are known. */
export function mendOf({
  class: failure,
  message,
  objects,
}: Pick<FailureCause, "class" | "message" | "objects">): string | undefined {
  if (saysMend.test(message)) return undefined;
  if (message.startsWith("another agent is at work")) return "let the other run end, or stop it";
  if (failure === "unknown" && objects === 0) return undefined;
  return failure === "auth" ? mendOfAuth(message) : mends[failure];
}

/** "shard 3" for one, "16 shards" for more. */
const whose = ({ num_shards, first_shard }: FailureCause): string =>
  num_shards === 1 ? `shard ${first_shard}` : formatShards(num_shards);

/**
 * A reason on one line:
 *
 * | | line |
 * |---|---|
 * | one object | `shard 3: missing: a/b: NoSuchKey: ...` |
 * | more objects | `16 shards: auth: AccessDenied: ... (64 objects, the first: a/b)` |
 * | no object is named | `16 shards: config: ... (64 objects)` |
 */
export function causeLine(cause: FailureCause): string {
  const { class: failure, message, objects, at_least, first_path: path } = cause;
  const start = `${whose(cause)}: ${failure}: `;
  if (objects === 1 && path !== null && !at_least) return `${start}${path}: ${message}`;
  const amount = `${formatObjects(objects)}${at_least ? " or more" : ""}`;
  const first = path === null ? "" : `, the first: ${path}`;
  return `${start}${message}${objects === 0 ? "" : ` (${amount}${first})`}`;
}

/** Why shards have failed, for people: each reason once, with what mends it, indented. */
export function causeLines(causes: readonly FailureCause[], runDir: string): string[] {
  if (causes.length === 0) return [];
  const shown = causes.slice(0, causesShown);
  const said = new Set<string>();
  const lines = shown.flatMap((cause) => {
    const mend = mendOf(cause);
    if (mend === undefined || said.has(mend)) return [`  ${causeLine(cause)}`];
    said.add(mend);
    return [`  ${causeLine(cause)}`, `    to mend it: ${mend}`];
  });
  const more = causes.length - shown.length;
  if (more > 0) lines.push(`  and ${formatCount(more)} more ${more === 1 ? "reason" : "reasons"}`);
  return [...lines, `  see ${whereOf(shown, runDir)}; once it is mended, run the same command again`];
}

/** The same as messages of a log, a line a reason. */
export function causeMessages(causes: readonly FailureCause[], runDir: string): string[] {
  return causes.slice(0, causesShown).map((cause) => {
    const mend = mendOf(cause);
    const how = mend === undefined ? "" : `; to mend it: ${mend}`;
    return `${causeLine(cause)}${how}; see ${whereOf([cause], runDir)}`;
  });
}

/** Where more is said of reasons: in the .fail files, or of shards that have none in what their agents said. */
function whereOf(causes: readonly FailureCause[], runDir: string): string {
  const hasFail = causes.some(({ objects }) => objects > 0);
  return hasFail ? `${runDir}/state/*.fail` : `${runDir}/logs/agent_*.out`;
}
