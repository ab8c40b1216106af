import type { Report } from "../../../lib/operate/report/schema.ts";
import { forEachUnproven } from "../../../lib/operate/report/unproven.ts";
import { visibleText, type Write } from "./visible.ts";

/** The two tables that a report has as CSV: objects that are not proven, or shards. */
export const csvKinds = ["objects", "shards"] as const;

export type CsvKind = (typeof csvKinds)[number];

type Field = string | number | null;

/** A field as RFC 4180 has it: in quotes where it needs them; nothing for null. */
export function csvField(field: Field): string {
  const text = field === null ? "" : String(field);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

type CsvRow = (fields: readonly Field[]) => string;

const objectColumns = ["path", "size", "state", "class", "shard", "objects", "reason"] as const;

const shardColumns = [
  ...["shard", "state", "records", "bytes", "proven", "proven_bytes", "starts", "node"],
  ...["started_at", "ended_at", "class", "message", "sha256"],
] as const;

/**
 * Writes one of a report's tables as CSV, with a header. Fields are exact, but for a reader at a terminal: what would not
 * be seen is written as \uXXXX there.
 */
export async function writeReportCsv(
  report: Report,
  { kind, isShown }: { kind: CsvKind; isShown: boolean },
  write: Write,
): Promise<void> {
  const shown = (field: Field) => (isShown && typeof field === "string" ? visibleText(field) : field);
  const row: CsvRow = (fields) => `${fields.map((field) => csvField(shown(field))).join(",")}\r\n`;
  if (kind === "shards") return await writeShards(report, row, write);
  await write(row(objectColumns));
  await forEachUnproven(report, (objects) =>
    write(objects.map((object) => row(objectColumns.map((name) => object[name]))).join("")),
  );
}

async function writeShards({ shard_list }: Report, row: CsvRow, write: Write): Promise<void> {
  await write(row(shardColumns));
  for (const shard of shard_list) {
    const { records, bytes, proven, proven_bytes, starts, node, started_at, ended_at } = shard;
    const counts = [records, bytes, proven, proven_bytes, starts];
    const ends = [node, started_at, ended_at, shard.class, shard.message, shard.sha256];
    await write(row([shard.shard, shard.state, ...counts, ...ends]));
  }
}
