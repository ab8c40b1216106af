import type { Report } from "../../../lib/operate/report/schema.ts";
import { forEachUnproven } from "../../../lib/operate/report/unproven.ts";
import type { Write } from "./visible.ts";

/** The two tables that a report has as CSV: objects that are not proven, or shards. */
export const csvKinds = ["objects", "shards"] as const;

export type CsvKind = (typeof csvKinds)[number];

type Field = string | number | null;

/** A field as RFC 4180 has it: in quotes where it needs them; nothing for null. */
export function csvField(field: Field): string {
  const text = field === null ? "" : String(field);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvRow = (fields: readonly Field[]): string => `${fields.map(csvField).join(",")}\r\n`;

const objectColumns = ["path", "size", "state", "class", "shard", "objects", "reason"] as const;

const shardColumns = [
  ...["shard", "state", "records", "bytes", "proven", "proven_bytes", "starts", "node"],
  ...["started_at", "ended_at", "class", "message", "sha256"],
] as const;

/** Writes one of a report's tables as CSV, with a header. Fields are exact: nothing in them is escaped. */
export async function writeReportCsv(report: Report, kind: CsvKind, write: Write): Promise<void> {
  if (kind === "objects") {
    await write(csvRow(objectColumns));
    await forEachUnproven(report, (objects) =>
      write(objects.map((object) => csvRow(objectColumns.map((name) => object[name]))).join("")),
    );
    return;
  }
  await write(csvRow(shardColumns));
  for (const shard of report.shard_list) {
    const { records, bytes, proven, proven_bytes, starts, node, started_at, ended_at } = shard;
    const counts = [records, bytes, proven, proven_bytes, starts];
    const ends = [node, started_at, ended_at, shard.class, shard.message, shard.sha256];
    await write(csvRow([shard.shard, shard.state, ...counts, ...ends]));
  }
}
