import { untransferablePath } from "../../lib/manifest/untransferable.ts";
import type { JobRow } from "../../lib/operate/job-rows.ts";
import type { ShardRow } from "../../lib/operate/shard-rows.ts";
import { shardStates } from "../../lib/operate/shard-state.ts";
import type { RunStatus } from "../../lib/operate/status.ts";
import { runLayout } from "../../lib/run/layout.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatEta,
  formatObjects,
  formatPercent,
  formatRate,
  formatShards,
} from "../../lib/system/units.ts";
import { columnsOf, layOut, type Room, type ScreenLine } from "./lines.ts";
import { nextText, pauseText } from "./next-step.ts";
import { groupLine, groupMend } from "./status-failures.ts";

/** Groups of failures, and silent agents and bad nodes, that are named. */
const failuresShown = 6;
const namesShown = 4;

/** A run as one screen; `throttle` is told of what throttles it meanwhile. */
export function statusLines(status: RunStatus, room: Room, throttle?: ScreenLine): string[] {
  const head = [...headLines(status, room), ...(throttle ? [throttle] : [])];
  return layOut([...head, ...troubleLines(status), ...slowestLines(status), ...endLines(status)], room);
}

/** What the run is, and how far and how fast. */
export function headLines(status: RunStatus, room: Room): ScreenLine[] {
  const { source_root, dest_root, run_id, run_dir, since, shards, rate, eta } = status;
  const lines: ScreenLine[] = [];
  if (source_root !== null)
    lines.push({ label: "copying", text: `${source_root} -> ${dest_root}`, weight: 8 });
  const began =
    since === null ? ", not started yet" : `, since ${timeText(since)} (${agoText(since, status)})`;
  lines.push({
    label: "run",
    text: `${run_id === null ? "" : `${run_id} in `}${run_dir}${began}`,
    weight: 6,
  });
  if (status.jobs.length > 0) lines.push({ label: "jobs", text: jobsText(status), weight: 5 });
  lines.push({ label: "progress", text: progressText(status, room.columns), tone: "good", weight: 10 });
  if (shards.running > 0 || rate.average_bytes_per_second !== null)
    lines.push({ label: "rate", text: rateText(status), weight: 7 });
  if (shards.done < shards.total) lines.push({ label: "ETA", text: etaText(status, eta), weight: 8 });
  return [...lines, { label: "shards", text: shardsText(status), weight: 9 }];
}

/** What does not go as it should. */
function troubleLines(status: RunStatus): ScreenLine[] {
  const lines: ScreenLine[] = [];
  const { stale, shards, hindrance, failures, run_dir } = status;
  if (stale.length > 0) {
    const names = stale.map(
      ({ shard, node, since }) => `shard ${shard} on ${node ?? "?"} for ${agoText(since, status)}`,
    );
    lines.push({ label: "stale", text: listText(names, shards.stale), tone: "warn", weight: 7 });
  }
  lines.push({ label: "starts", text: startsText(status), weight: 3 });
  const throttled = throttledText(status);
  if (throttled !== undefined) lines.push({ label: "throttled", text: throttled, tone: "warn", weight: 5 });
  if (hindrance) {
    const next = hindrance.next_pass_at;
    const seconds = next === null ? 0 : (Date.parse(next) - Date.parse(status.at)) / 1000;
    const again = seconds > 0 ? `; next pass in ${formatDuration(seconds)}` : "";
    const text = `${formatShards(hindrance.shards)}: ${hindrance.message}, since ${agoText(hindrance.since, status)}${again}`;
    lines.push({ label: "waits", text, tone: "warn", weight: 7 });
  }
  for (const [i, group] of failures.slice(0, failuresShown).entries()) {
    const label = i === 0 ? "failed" : "";
    lines.push({ label, text: groupLine(group, status), tone: "bad", weight: 6 });
    lines.push({ label: "", text: `mend: ${groupMend(group, run_dir)}`, weight: 6, isWhole: true });
  }
  const more = failures.length - failuresShown;
  if (more > 0) lines.push({ label: "", text: `and ${more} more reasons: --json has all`, weight: 6 });
  return lines;
}

function slowestLines(status: RunStatus): ScreenLine[] {
  if (status.slowest.length === 0) return [];
  const rows = columnsOf([
    ["shard", "node", "done", "rate", "ETA", "start"],
    ...status.slowest.map((row) => [
      ...[String(row.shard), row.node ?? "-", donePercent(row), formatRate(row.bytes_per_second ?? 0)],
      ...[formatEta(row.eta_seconds), String(row.attempt)],
    ]),
  ]);
  return rows.map((text, i) => ({
    ...{ label: i === 0 ? "slowest" : "", text, weight: i === 0 ? 2 : 1, tone: i === 0 ? "dim" : "plain" },
  }));
}

function endLines(status: RunStatus): ScreenLine[] {
  const { warnings, untransferable, run_dir, next } = status;
  const lines: ScreenLine[] = [];
  if (untransferable.objects > 0) {
    const text = `${formatObjects(untransferable.objects)}: ${untransferablePath(runLayout(run_dir).manifest)}`;
    lines.push({ label: "left out", text, tone: "warn", weight: 5 });
  }
  for (const text of warnings.first.slice(0, 3))
    lines.push({ label: "warning", text, tone: "warn", weight: 4 });
  const more = warnings.total - 3;
  if (more > 0) lines.push({ label: "", text: `and ${formatCount(more)} more warnings`, weight: 4 });
  const isWell = ["nothing", "wait", "verify", "wait-for-verification"].includes(next.kind);
  const tone = isWell ? "good" : "warn";
  return [...lines, { label: "next", text: nextText(status), tone, weight: 11, isWhole: true }];
}

/** How far a shard is. */
export const donePercent = (
  row: Pick<ShardRow, "bytes" | "bytes_done" | "objects" | "objects_done">,
): string =>
  row.bytes > 0 ? formatPercent(row.bytes_done, row.bytes) : formatPercent(row.objects_done, row.objects);

const timeText = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;

const agoText = (since: string, { at, ended_at }: RunStatus): string =>
  formatDuration(Math.max(0, (Date.parse(ended_at ?? at) - Date.parse(since)) / 1000));

/** The first of some names, and how many more there are. */
function listText(names: readonly string[], total: number): string {
  const shown = names.slice(0, namesShown);
  return [...shown, ...(total > shown.length ? [`and ${formatCount(total - shown.length)} more`] : [])].join(
    ", ",
  );
}

function jobsText({ jobs, slurm }: RunStatus): string {
  const active = jobs.filter(({ running, pending }) => running + pending > 0);
  if (!slurm) return `${jobs.map(({ job_id }) => job_id).join(", ")}; Slurm does not say how they stand`;
  const ended = jobs.length - active.length;
  const texts = active.map(jobText);
  if (ended > 0) {
    const names = jobs.filter((job) => !active.includes(job)).map(({ job_id }) => job_id);
    texts.push(`${ended === 1 ? "job" : "jobs"} ${listText(names.slice(-namesShown), ended)} ended`);
  }
  return texts.join("; ");
}

function jobText({ job_id, kind, running, pending, reason, limit }: JobRow): string {
  const parts: string[] = [];
  if (running > 0) parts.push(`${formatCount(running)} ${running === 1 ? "task runs" : "tasks run"}`);
  if (pending > 0)
    parts.push(`${formatCount(pending)} ${pending === 1 ? "waits" : "wait"}${reason ? ` (${reason})` : ""}`);
  if (limit !== null) parts.push(`${formatCount(limit)} at a time`);
  return `${job_id}${kind === "copy" ? "" : ` (${kind})`}: ${parts.join(", ")}`;
}

function progressText({ listed, proven, bytes_in_flight }: RunStatus, columns: number): string {
  const bytes = proven.bytes + bytes_in_flight;
  const [part, whole] = listed.bytes > 0 ? [bytes, listed.bytes] : [proven.objects, listed.objects];
  const width = Number.isFinite(columns) ? Math.min(40, Math.max(4, columns - 72)) : 20;
  const full = whole > 0 ? Math.min(width, Math.max(0, Math.floor((width * part) / whole))) : width;
  const bar = `[${"#".repeat(full)}${"-".repeat(width - full)}]`;
  return (
    `${bar} ${formatPercent(part, whole)}  ${formatCount(proven.objects)} of ${formatObjects(listed.objects)}, ` +
    `${formatBytes(bytes)} of ${formatBytes(listed.bytes)}`
  );
}

function rateText({ rate, shards }: RunStatus): string {
  const text = (bytes: number, objects: number) =>
    `${formatRate(bytes)} and ${objects < 10 ? objects.toFixed(1) : formatCount(objects)} objects/s`;
  const { average_bytes_per_second: bytes, average_objects_per_second: objects } = rate;
  const parts: string[] = [];
  if (shards.running > 0) parts.push(`${text(rate.bytes_per_second, rate.objects_per_second)} now`);
  if (bytes !== null && objects !== null) parts.push(`${text(bytes, objects)} on average`);
  return parts.join("; ");
}

function etaText({ at }: RunStatus, eta: RunStatus["eta"]): string {
  if (eta === null) return "not known";
  const by = eta.by === "shard" ? `shard ${eta.shard} takes longest` : `by the ${eta.by} left`;
  const end = Date.parse(at) + 1000 * eta.seconds;
  const when = eta.seconds > 99 * 86_400 ? "" : `, ${timeText(new Date(end).toISOString())}`;
  return `${formatEta(eta.seconds)}${when} (${by})`;
}

const stateWords: Readonly<Record<(typeof shardStates)[number], string>> = {
  done: "done",
  running: "running",
  waiting: "waiting",
  requeue: "to be requeued",
  stopped: "stopped",
  failed: "failed",
  stale: "stale",
};

function shardsText({ shards }: RunStatus): string {
  const parts = shardStates.flatMap((state) =>
    shards[state] > 0 || state === "done" ? [`${formatCount(shards[state])} ${stateWords[state]}`] : [],
  );
  return `${formatCount(shards.total)}: ${parts.join(", ")}`;
}

function startsText({ starts }: RunStatus): string {
  const counts: [number, string][] = [
    [starts.walltime_stops, "ended by the time limit"],
    [starts.preemptions, "preempted"],
    [starts.lost_starts, "lost"],
    [starts.other_stops, "stopped"],
  ];
  const parts = counts.flatMap(([count, what]) => (count > 0 ? [`${formatCount(count)} ${what}`] : []));
  const nodes = starts.bad_nodes.map(({ node, shards }) => `${node} (${formatShards(shards)})`);
  const bad = nodes.length === 0 ? "" : `; no container came up on ${listText(nodes, nodes.length)}`;
  return `${formatCount(starts.total)}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}${bad}`;
}

function throttledText({ throttling, throttled }: RunStatus): string | undefined {
  if (throttling === null)
    return throttled > 0 ? `${formatCount(throttled)} requests were refused` : undefined;
  const { refused, requests, transfers, wanted } = throttling;
  const percent = requests > 0 ? Math.round((100 * refused) / requests) : 0;
  return `${percent}% of requests refused, transfers ${transfers} of ${wanted}; ${formatCount(throttled)} refused in all`;
}

/** A run under way in one line, for where nobody watches a terminal. */
export function statusLine(status: RunStatus): string {
  const { at, proven, listed, rate, eta } = status;
  const parts = [
    ...(status.paused === null ? [] : [pauseText(status.run_dir, status.paused)]),
    ...[
      formatPercent(proven.bytes, listed.bytes),
      `${formatCount(proven.objects)}/${formatCount(listed.objects)} objects`,
    ],
    ...[
      formatRate(rate.bytes_per_second),
      `ETA ${formatEta(eta?.seconds ?? null)}`,
      `shards ${shardsText(status)}`,
    ],
  ];
  return `${at} ${parts.join("  ")}`;
}

/** A run as JSON, schema xfer.status.v1, with what mends each failure and what to do now in words. */
export function statusJson(status: RunStatus, rows?: readonly ShardRow[]) {
  const { failures, next, ...rest } = status;
  return {
    ...rest,
    failures: failures.map((group) => ({ ...group, mend: groupMend(group, status.run_dir) })),
    next: { ...next, text: nextText(status) },
    ...(rows === undefined ? {} : { shard_list: rows }),
  };
}

/** How a run that was waited for stands: how many shards, and what to do now. */
export function endText(status: RunStatus): string {
  return `shards ${shardsText(status)}\n${nextText(status)}\n`;
}
