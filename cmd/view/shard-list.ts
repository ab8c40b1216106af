import type { ShardRow } from "../../lib/operate/shard-rows.ts";
import type { RunStatus } from "../../lib/operate/status.ts";
import { formatBytes, formatCount, formatEta, formatRate } from "../../lib/system/units.ts";
import { columnsOf, layOut, type Room, type ScreenLine, shortened } from "./lines.ts";
import { donePercent, headLines } from "./status.ts";

const columns = [
  ...["shard", "state", "node", "attempt", "objects_done", "objects", "bytes_done", "bytes"],
  ...["bytes_per_second", "eta_seconds", "errors", "since", "class", "message"],
] as const satisfies readonly (keyof ShardRow)[];

/** Shards for scripts: a line of names, then a line a shard, separated by tabs; what is not known is empty. */
export function shardsTsv(rows: readonly ShardRow[]): string {
  const cell = (value: string | number | null) => String(value ?? "").replace(/[\x00-\x1f\x7f-\x9f]/g, " ");
  const lines = rows.map((row) => columns.map((name) => cell(row[name])).join("\t"));
  return [columns.join("\t"), ...lines].map((line) => `${line}\n`).join("");
}

/** Shards as a table for people, no wider than the room. */
export function shardsTable(rows: readonly ShardRow[], room: Pick<Room, "columns">): string[] {
  const table = columnsOf([
    ["shard", "state", "node", "start", "objects", "bytes", "done", "rate", "ETA", "why"],
    ...rows.map((row) => [
      ...[String(row.shard), row.state, row.node ?? "-", String(row.attempt)],
      ...[formatCount(row.objects), formatBytes(row.bytes), donePercent(row)],
      row.bytes_per_second === null ? "-" : formatRate(row.bytes_per_second),
      row.state === "running" ? formatEta(row.eta_seconds) : "-",
      [row.class, row.message].filter((word) => word !== null).join(": "),
    ]),
  ]);
  return table.map((line) => shortened(line, room.columns));
}

/** The same on a screen of so many rows, below how the run stands. */
export function shardsScreen(
  status: RunStatus,
  rows: readonly ShardRow[],
  room: Room,
  throttle?: ScreenLine,
): string[] {
  const head = layOut(
    [...headLines(status, room), ...(throttle ? [throttle] : [])].filter(({ weight }) => weight >= 8),
    room,
  );
  const table = shardsTable(rows, room);
  const left = Math.max(0, room.rows - head.length);
  if (table.length <= left) return [...head, ...table];
  const shown = table.slice(0, Math.max(0, left - 1));
  const more = `and ${formatCount(table.length - shown.length)} more`;
  return [...head, ...shown, shortened(more, room.columns)].slice(0, room.rows);
}
