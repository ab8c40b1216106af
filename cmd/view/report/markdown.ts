import type { Report, ReportShard, Unproven } from "../../../lib/operate/report/schema.ts";
import { forEachUnproven } from "../../../lib/operate/report/unproven.ts";
import { formatBytes, formatCount, formatObjects, formatRate } from "../../../lib/system/units.ts";
import { visibleText, type Write } from "./visible.ts";
import {
  accountRows,
  askedRows,
  attemptRows,
  causeWords,
  proofRows,
  type Row,
  verdictText,
  verificationWords,
  versionRows,
  whoWords,
} from "./words.ts";

/** Rows of throughput, and shards that are shown one by one. */
const throughputRows = 24;
const shardRows = 100;

/** A text of others as code, which Markdown shows as it is: no backtick in it ends the code. */
export function codeText(text: string): string {
  const shown = visibleText(text);
  const runs = [...shown.matchAll(/`+/g)].map(([run]) => run.length);
  const fence = "`".repeat(Math.max(0, ...runs) + 1);
  const isBare = shown !== "" && !/^[` ]|[` ]$/.test(shown);
  return isBare ? `${fence}${shown}${fence}` : `${fence} ${shown} ${fence}`;
}

/** A text as it is where nothing in it means something to Markdown, else as code. */
const plainText = (text: string): string => (/^[\w .,:+()%/;-]*$/.test(text) ? text : codeText(text));

/** A table whose columns are as wide as their widest cell, readable as it stands. Cells may be code. */
function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: number[] = [],
): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, i) => Math.max(3, ...cells.map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join(" | ")} |\n`;
  const rule = widths.map((width, i) =>
    right.includes(i) ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const [first = [], ...others] = cells;
  return line(first) + line(rule) + others.map(line).join("");
}

const listText = (rows: readonly Row[]) =>
  rows.map(([name, says]) => `- ${name}: ${plainText(says)}\n`).join("");

/** Writes a report as Markdown that can be read as plain text too. It names every object that is not proven. */
export async function writeReportMarkdown(report: Report, write: Write): Promise<void> {
  await write(headText(report));
  let found = 0;
  await forEachUnproven(report, async (objects) => {
    if (found === 0) await write("\n## Objects that are not proven\n\n");
    found += objects.length;
    await write(objects.map(objectLine).join(""));
  });
  await write(tailText(report));
}

function headText(report: Report): string {
  const { asked, made_at, run_dir } = report;
  const amounts = accountRows(report).map(({ name, objects, bytes }) => [
    ...[name, formatCount(objects), formatBytes(bytes)],
  ]);
  const proofs = proofRows(report).map(({ name, objects, means }) => [name, formatCount(objects), means]);
  return [
    `# Transfer report\n\n${codeText(asked.source_root)} to ${codeText(asked.dest_root)}\n\n`,
    `**${verdictText(report)}**\n\n`,
    `Made at ${made_at} of the run directory ${codeText(run_dir)}.\n`,
    `\n## What happened\n\n${tableText(["", "objects", "size"], amounts, [1, 2])}`,
    `\n## What is proven, and how\n\n${tableText(["", "objects", "that is"], proofs, [1])}`,
    `\n${plainText(verificationWords(report))}\n`,
    causesText(report),
  ].join("");
}

function causesText({ causes, more_causes }: Report): string {
  if (causes.length === 0) return "";
  const lines = causes.map((cause) => {
    const { amount, mend } = causeWords(cause);
    const how = mend === "" ? "" : `\n  to mend it: ${mend}`;
    return `- ${cause.class}: ${codeText(cause.reason)} (${amount})${how}\n`;
  });
  if (more_causes > 0) lines.push(`- and more: ${formatCount(more_causes)}\n`);
  return `\n## Why objects failed\n\n${lines.join("")}`;
}

function objectLine(object: Unproven): string {
  const { state, class: failure, shard, path, size, objects, reason } = object;
  const about = [
    failure === null || failure === state ? state : `${state}, ${failure}`,
    ...(shard === null ? [] : [`shard ${shard}`]),
    ...(size === null ? [] : [formatBytes(size)]),
  ];
  const name = path === null ? `${formatObjects(objects)} that cannot be named` : codeText(path);
  return `- ${name} (${about.join(", ")}): ${codeText(reason)}\n`;
}

function tailText(report: Report): string {
  return [
    `\n## Attempts\n\n${listText(attemptRows(report))}`,
    throughputText(report),
    shardsText(report),
    timelineText(report),
    `\n## Asked\n\n${listText(askedRows(report))}`,
    `\n## Versions\n\n${listText(versionRows(report))}`,
    `\n## Digests (SHA-256)\n\n`,
    listText(report.digests.map(({ file, sha256 }) => [file, sha256 ?? "no such file"] as const)),
    report.warnings.length === 0 ? "" : "\n## Warnings\n\n",
    ...report.warnings.map((warning) => `- ${codeText(warning)}\n`),
  ].join("");
}

function throughputText({ throughput: { points, bucket_seconds } }: Report): string {
  if (points.length === 0 || bucket_seconds === null) return "";
  const step = Math.ceil(points.length / throughputRows);
  const joined = Array.from({ length: Math.ceil(points.length / step) }, (_, i) => {
    const part = points.slice(i * step, (i + 1) * step);
    const mean = (name: "bytes_per_second" | "objects_per_second" | "shards") =>
      part.reduce((sum, point) => sum + point[name], 0) / part.length;
    const sum = (name: "errors" | "throttled") => part.reduce((all, point) => all + point[name], 0);
    return {
      at: part[0]?.at ?? "",
      rate: mean("bytes_per_second"),
      objects: mean("objects_per_second"),
      shards: mean("shards"),
      errors: sum("errors"),
      throttled: sum("throttled"),
    };
  });
  const most = Math.max(...joined.map(({ rate }) => rate));
  const rows = joined.map(({ at, rate, objects, shards, errors, throttled }) => [
    ...[at.slice(0, 19).replace("T", " "), formatRate(rate), objects.toFixed(1), shards.toFixed(1)],
    ...[formatCount(errors), formatCount(throttled)],
    "#".repeat(most > 0 ? Math.round((20 * rate) / most) : 0),
  ]);
  const head = ["from (UTC)", "rate", "objects/s", "shards", "errors", "throttled", ""];
  return `\n## Throughput\n\nEach row is ${formatCount(step * bucket_seconds)} s.\n\n${tableText(head, rows, [1, 2, 3, 4, 5])}`;
}

/** All shards of a small run; of a large one those that are not done. */
function shardsText({ shard_list, shards }: Report): string {
  const isSmall = shard_list.length <= shardRows;
  const shown = shard_list.filter(({ state }) => isSmall || state !== "done").slice(0, shardRows);
  const row = ({ shard, state, records, bytes, proven, starts, node, sha256 }: ReportShard) => [
    ...[String(shard), state, formatCount(proven), formatCount(records), formatBytes(bytes), String(starts)],
    ...[node === null ? "-" : plainText(node), sha256],
  ];
  const { total, done, failed, unfinished } = shards;
  const counts = `${formatCount(done)} of ${formatCount(total)} are done, ${formatCount(failed)} failed, ${formatCount(unfinished)} have not ended.`;
  const left = shard_list.length - shown.length;
  const more = left === 0 ? "" : `\n${formatCount(left)} are not shown; --format csv --csv shards has all.\n`;
  const head = ["shard", "state", "proven", "objects", "size", "starts", "node", "SHA-256"];
  const table = shown.length === 0 ? "" : `\n${tableText(head, shown.map(row), [0, 2, 3, 4, 5])}`;
  return `\n## Shards\n\n${counts}\n${table}${more}`;
}

function timelineText({ timeline, more_timeline }: Report): string {
  const lines = timeline.map((entry) => {
    const who = whoWords(entry);
    const whose = who === "" ? "" : ` (${visibleText(who).replace(/[`*_<[\]]/g, "\\$&")})`;
    return `- ${visibleText(entry.at)} ${entry.what}${whose}${entry.detail === "" ? "" : `: ${plainText(entry.detail)}`}\n`;
  });
  if (more_timeline > 0) lines.push(`- and more: ${formatCount(more_timeline)}\n`);
  return `\n## Timeline\n\n${lines.join("")}`;
}
